use lockutils::synchronized;

#[synchronized(crate = lockutils, crate = lockutils)]
fn start(id: u32) {}

fn main() {}
