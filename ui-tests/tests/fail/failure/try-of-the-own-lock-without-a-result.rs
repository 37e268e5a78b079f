use lockutils::synchronized;

#[synchronized(nonblocking)]
pub fn start() {}

fn main() {}
