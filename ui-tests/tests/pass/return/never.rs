//! A function that never returns.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn never() -> ! {
    std::process::exit(0)
}

fn main() {
    never();
}
