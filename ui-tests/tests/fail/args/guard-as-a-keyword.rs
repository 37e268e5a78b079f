use lockutils::synchronized;

#[synchronized(key = id, guard = fn)]
pub fn start(id: u32) {}

fn main() {}
