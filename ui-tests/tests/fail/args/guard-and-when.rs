use lockutils::synchronized;

#[synchronized(key = id, guard = guard, when = id > 0)]
pub fn start(id: u32) {}

fn main() {}
