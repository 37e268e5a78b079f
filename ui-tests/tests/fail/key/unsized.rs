use lockutils::synchronized;

#[synchronized(key = name[..2])]
fn start(name: &str) {}

fn main() {}
