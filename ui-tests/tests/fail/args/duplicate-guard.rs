use lockutils::synchronized;

#[synchronized(key = id, guard = guard, guard = guard)]
pub fn start(id: u32) {}

fn main() {}
