use lockutils::synchronized;

#[synchronized(keys = [id, 1], reentrant)]
pub fn start(id: u32) {}

fn main() {}
