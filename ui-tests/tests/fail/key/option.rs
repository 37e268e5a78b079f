use lockutils::synchronized;

#[synchronized(key = id)]
fn start(id: Option<u32>) {}

fn main() {}
