use lockutils::synchronized;

#[synchronized(key = id, nonblocking, when = id > 0)]
pub fn start(id: u32) {}

fn main() {}
