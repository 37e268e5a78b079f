use lockutils::synchronized;

#[synchronized(key = id, shared = false)]
pub fn start(id: u32) {}

fn main() {}
