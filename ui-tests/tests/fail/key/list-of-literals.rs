use lockutils::synchronized;

#[synchronized(key = [id, 7])]
fn start(id: u32) {}

fn main() {}
