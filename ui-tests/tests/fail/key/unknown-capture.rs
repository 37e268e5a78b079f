use lockutils::synchronized;

#[synchronized(key = "vm-{uuid}")]
fn start(id: u32) {}

fn main() {}
