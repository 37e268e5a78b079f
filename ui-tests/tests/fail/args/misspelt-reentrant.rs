use lockutils::synchronized;

#[synchronized(key = id, re_entrant)]
pub fn start(id: u32) {}

fn main() {}
