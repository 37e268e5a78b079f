use lockutils::synchronized;

#[synchronized(reentrant, key = from, to)]
fn transfer(from: u32, to: u32) {}

fn main() {}
