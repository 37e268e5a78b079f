use lockutils::synchronized;

#[synchronized("a", limit = 4)]
fn start() {}

fn main() {}
