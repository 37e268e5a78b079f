//! An async closure may be returned.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("a")]
fn async_closure(add: u32) -> impl AsyncFn(u32) -> u32 {
    async move |value| value + add
}

fn main() {
    assert_eq!(block_on(async_closure(1)(2)), 3);
}
