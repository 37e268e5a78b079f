//! So they do in an async function.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;
use std::fmt::Display;

#[synchronized("a")]
async fn boxed_async(short: bool) -> Box<dyn Display> {
    if short {
        return Box::new('x');
    }
    Box::new("text")
}

fn main() {
    assert_eq!(block_on(boxed_async(true)).to_string(), "x");
    assert_eq!(block_on(boxed_async(false)).to_string(), "text");
}
