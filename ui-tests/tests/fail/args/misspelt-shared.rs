use lockutils::synchronized;

#[synchronized(key = id, share)]
pub fn start(id: u32) {}

fn main() {}
