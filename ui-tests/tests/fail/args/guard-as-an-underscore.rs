use lockutils::synchronized;

#[synchronized(key = id, guard = _)]
pub fn start(id: u32) {}

fn main() {}
