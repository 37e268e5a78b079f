use lockutils::synchronized;

#[synchronized(key = b"vm")]
fn start(id: u32) {}

fn main() {}
