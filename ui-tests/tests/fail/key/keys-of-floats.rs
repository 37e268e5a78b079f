use lockutils::synchronized;

#[synchronized(keys = [1.5, 2.5])]
pub fn start(id: u32) {}

fn main() {}
