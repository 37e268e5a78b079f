use lockutils::synchronized;

#[synchronized(key = id, shared)]
fn start(id: u32) {}

fn main() {}
