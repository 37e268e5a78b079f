use lockutils::synchronized;

#[synchronized(key = id)]
fn start(id: Vec<u8>) {}

fn main() {}
