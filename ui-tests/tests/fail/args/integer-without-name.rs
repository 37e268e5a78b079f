use lockutils::synchronized;

#[synchronized(7)]
fn start(id: u32) {}

fn main() {}
