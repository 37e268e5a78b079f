use lockutils::synchronized;

#[synchronized(key = id, shared, shared)]
pub fn start(id: u32) {}

fn main() {}
