use lockutils::synchronized;

#[synchronized(shared)]
pub fn start(id: u32) {}

fn main() {}
