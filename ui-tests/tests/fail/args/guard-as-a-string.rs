use lockutils::synchronized;

#[synchronized(key = id, guard = "guard")]
pub fn start(id: u32) {}

fn main() {}
