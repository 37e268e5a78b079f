use lockutils::synchronized;

#[synchronized(key = id, reentrant, reentrant)]
pub fn start(id: u32) {}

fn main() {}
