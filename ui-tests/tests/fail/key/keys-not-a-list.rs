use lockutils::synchronized;

#[synchronized(keys = id)]
pub fn start(id: u32) {}

fn main() {}
