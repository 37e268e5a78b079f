use lockutils::synchronized;

#[synchronized(keys = (id, 7))]
fn start(id: u32) {}

fn main() {}
