use lockutils::synchronized;

#[synchronized(key = "vm-{id")]
fn start(id: u32) {}

fn main() {}
