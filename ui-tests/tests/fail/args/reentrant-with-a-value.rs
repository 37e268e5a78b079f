use lockutils::synchronized;

#[synchronized(key = id, reentrant = true)]
pub fn start(id: u32) {}

fn main() {}
