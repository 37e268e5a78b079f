use lockutils::synchronized;

#[synchronized(key = id, "a")]
fn start(id: u32) {}

fn main() {}
