use lockutils::synchronized;

#[synchronized("a", crate = vendored::locking)]
fn start() {}

fn main() {}
