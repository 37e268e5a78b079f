use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout =)]
pub fn start(id: u32) {}

fn main() {}
