use lockutils::synchronized;

#[synchronized("a")]
#[inline]
#[lockutils::synchronized("b")]
fn start() {}

fn main() {}
