use lockutils::synchronized;

#[synchronized(key = (id, id, id, id, id, id, id, id, id))]
fn start(id: u8) {}

fn main() {}
