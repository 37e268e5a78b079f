//! Values of different types become one trait object.
#![deny(warnings)]

use lockutils::synchronized;
use std::fmt::Display;

#[synchronized("a")]
fn boxed(short: bool) -> Box<dyn Display> {
    if short {
        return Box::new('x');
    }
    Box::new("text")
}

fn main() {
    assert_eq!(boxed(true).to_string() + &boxed(false).to_string(), "xtext");
}
