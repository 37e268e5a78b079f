use lockutils::synchronized;

#[synchronized(keys = [])]
fn start() {}

fn main() {}
