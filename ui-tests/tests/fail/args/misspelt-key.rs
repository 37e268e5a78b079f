use lockutils::synchronized;

#[synchronized(kye = id)]
fn start(id: u32) {}

fn main() {}
