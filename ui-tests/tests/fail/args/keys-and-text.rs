use lockutils::synchronized;

#[synchronized(keys = [id, 1], "vm")]
pub fn start(id: u32) {}

fn main() {}
