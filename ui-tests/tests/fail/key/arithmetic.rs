use lockutils::synchronized;

#[synchronized(key = id + 1.5 * 2.0)]
fn start(id: f64) {}

fn main() {}
