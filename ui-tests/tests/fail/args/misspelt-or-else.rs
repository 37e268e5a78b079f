use lockutils::synchronized;

#[synchronized(key = id, orelse = |_| ())]
pub fn start(id: u32) {}

fn main() {}
