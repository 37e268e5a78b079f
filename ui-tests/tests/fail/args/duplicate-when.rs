use lockutils::synchronized;

#[synchronized(key = id, when = id > 0, when = id > 0)]
pub fn start(id: u32) {}

fn main() {}
