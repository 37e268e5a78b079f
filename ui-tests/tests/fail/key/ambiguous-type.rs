use lockutils::synchronized;

#[synchronized(key = id.parse().unwrap())]
fn start(id: &str) {}

fn main() {}
