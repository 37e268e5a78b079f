use lockutils::synchronized;

#[synchronized(key = id)]
fn start(id: f64) {}

fn main() {}
