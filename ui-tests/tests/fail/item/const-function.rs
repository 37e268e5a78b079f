use lockutils::synchronized;

#[synchronized("a")]
pub const fn start() {}

fn main() {}
