use lockutils::synchronized;

#[synchronized(key == id)]
fn start(id: u32) {}

fn main() {}
