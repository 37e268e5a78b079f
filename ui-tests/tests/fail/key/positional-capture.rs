use lockutils::synchronized;

#[synchronized(key = "vm-{}")]
fn start(id: u32) {}

fn main() {}
