use lockutils::synchronized;

#[synchronized("a", read)]
fn start() {}

fn main() {}
