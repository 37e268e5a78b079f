//! A lock that cannot fail may have it, since types decide that.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("job", or_else = |error| panic!("{error}"))]
fn run() -> u32 {
    7
}

fn main() {
    assert_eq!(run(), 7);
}
