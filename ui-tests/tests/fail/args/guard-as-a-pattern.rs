use lockutils::synchronized;

#[synchronized(key = id, guard = mut guard)]
pub fn start(id: u32) {}

fn main() {}
