use lockutils::synchronized;

#[synchronized(keys = [id], keys = [id])]
pub fn start(id: u32) {}

fn main() {}
