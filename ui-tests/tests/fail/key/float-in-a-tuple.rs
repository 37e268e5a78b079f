use lockutils::synchronized;

#[synchronized(key = ("vm", id))]
fn start(id: f64) {}

fn main() {}
