use lockutils::synchronized;

#[synchronized(keys = [id, 1], key = id)]
pub fn start(id: u32) {}

fn main() {}
