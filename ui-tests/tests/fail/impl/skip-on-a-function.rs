use lockutils::synchronized;

#[synchronized(skip)]
fn start() {}

fn main() {}
