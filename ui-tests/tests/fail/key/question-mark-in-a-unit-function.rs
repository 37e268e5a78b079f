use lockutils::synchronized;

#[synchronized(key = id.parse::<u32>()?)]
fn start(id: &str) {}

fn main() {}
