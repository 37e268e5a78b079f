use lockutils::synchronized;

#[synchronized(keys =)]
pub fn start(id: u32) {}

fn main() {}
