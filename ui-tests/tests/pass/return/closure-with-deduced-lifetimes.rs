//! The return type tells a closure the lifetimes of its arguments.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn closure_with_deduced_lifetimes() -> impl Fn(&str) -> &str {
    |text| &text[1..]
}

fn main() {
    assert_eq!(closure_with_deduced_lifetimes()("ab"), "b");
}
