use lockutils::synchronized;

#[synchronized(id)]
fn start(id: u32) {}

fn main() {}
