use lockutils::synchronized;

#[synchronized(key = "vm-{name}")]
pub fn start(id: u32) {}

fn main() {}
