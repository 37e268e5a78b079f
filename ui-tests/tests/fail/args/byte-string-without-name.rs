use lockutils::synchronized;

#[synchronized(b"a")]
fn start(id: u32) {}

fn main() {}
