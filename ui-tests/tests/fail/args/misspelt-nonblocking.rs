use lockutils::synchronized;

#[synchronized(key = id, non_blocking)]
pub fn start(id: u32) {}

fn main() {}
