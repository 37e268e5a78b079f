use lockutils::synchronized;

#[synchronized(key = id, or_else = |_| (), or_else = |_| ())]
pub fn start(id: u32) {}

fn main() {}
