use lockutils::synchronized;

#[synchronized(key = id)]
fn start(id: &[u8]) {}

fn main() {}
