use lockutils::synchronized;

#[synchronized(key = id)]
fn start(id: ()) {}

fn main() {}
