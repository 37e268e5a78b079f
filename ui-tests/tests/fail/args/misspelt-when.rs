use lockutils::synchronized;

#[synchronized(key = id, wehn = id > 0)]
pub fn start(id: u32) {}

fn main() {}
