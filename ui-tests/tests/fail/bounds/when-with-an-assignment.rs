use lockutils::synchronized;

#[synchronized(key = id, when = id = 5)]
pub fn start(mut id: u32) {}

fn main() {}
