use lockutils::synchronized;

#[synchronized(key = id, or_else =)]
pub fn start(id: u32) {}

fn main() {}
