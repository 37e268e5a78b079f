use lockutils::synchronized;

#[synchronized(key = id, keys = [id, 1])]
pub fn start(id: u32) {}

fn main() {}
