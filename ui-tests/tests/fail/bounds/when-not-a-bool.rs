use lockutils::synchronized;

#[synchronized(key = id, when = id)]
pub fn start(id: u32) {}

fn main() {}
