use lockutils::synchronized;

#[synchronized(key = id, when = enabled)]
pub fn start(id: u32) {}

fn main() {}
