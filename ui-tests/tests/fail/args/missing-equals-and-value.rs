use lockutils::synchronized;

#[synchronized(key)]
fn start(id: u32) {}

fn main() {}
