use lockutils::synchronized;

#[synchronized(key = id, guard =)]
pub fn start(id: u32) {}

fn main() {}
