use lockutils::synchronized;

#[synchronized(key = uuid)]
fn start(id: u32) {}

fn main() {}
