use lockutils::synchronized;

#[synchronized(key = id, when)]
pub fn start(id: u32) {}

fn main() {}
