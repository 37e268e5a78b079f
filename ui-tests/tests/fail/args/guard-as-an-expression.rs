use lockutils::synchronized;

#[synchronized(key = id, guard = a.guard)]
pub fn start(id: u32) {}

fn main() {}
