//! The user's own lint levels reach into the body.
#![forbid(unsafe_code)]
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
#[expect(unused_variables)]
fn unused_variable() {
    let unused = 1;
}

#[synchronized("a")]
#[expect(unreachable_code)]
fn unreachable() -> u32 {
    return 1;
    2
}

#[synchronized("a")]
#[expect(unused_parens)]
fn parentheses_in_the_body() -> u32 {
    (1)
}

#[synchronized("a")]
#[expect(unused_must_use)]
fn dropped_result() {
    "1".parse::<u32>();
}

#[synchronized("a")]
#[expect(dead_code)]
fn never_called() {}

fn main() {
    unused_variable();
    unreachable();
    parentheses_in_the_body();
    dropped_result();
}
