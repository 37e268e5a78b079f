use lockutils::synchronized;

#[synchronized("a")]
#[synchronized("b")]
fn start() {}

fn main() {}
