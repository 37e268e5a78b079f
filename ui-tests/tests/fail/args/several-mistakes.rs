use lockutils::synchronized;

#[synchronized(kye = id, locks, "a", shared, key = 1 2)]
fn start(id: u32) {}

fn main() {}
