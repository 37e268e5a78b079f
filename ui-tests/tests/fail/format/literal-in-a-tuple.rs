use lockutils::synchronized;

#[synchronized(key = ("vm-{id}", 7))]
pub fn start(id: u32) {}

fn main() {}
