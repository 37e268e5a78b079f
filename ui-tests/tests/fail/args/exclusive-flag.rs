use lockutils::synchronized;

#[synchronized("a", exclusive)]
fn start() {}

fn main() {}
