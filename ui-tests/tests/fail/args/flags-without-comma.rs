use lockutils::synchronized;

#[synchronized(key = id, shared reentrant)]
pub fn start(id: u32) {}

fn main() {}
