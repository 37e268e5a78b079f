use lockutils::synchronized;

#[synchronized(key = id, key = 7)]
fn start(id: u32) {}

fn main() {}
