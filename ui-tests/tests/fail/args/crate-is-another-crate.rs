use lockutils::synchronized;

#[synchronized("a", crate = std)]
fn start() {}

fn main() {}
