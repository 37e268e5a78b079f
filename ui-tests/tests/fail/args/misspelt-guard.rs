use lockutils::synchronized;

#[synchronized(key = id, gaurd = guard)]
pub fn start(id: u32) {}

fn main() {}
