use lockutils::synchronized;

#[synchronized(keys = [id])]
fn start(id: u32) {}

fn main() {}
