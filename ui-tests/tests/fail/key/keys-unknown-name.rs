use lockutils::synchronized;

#[synchronized(keys = [a, b])]
pub fn start(id: u32) {}

fn main() {}
