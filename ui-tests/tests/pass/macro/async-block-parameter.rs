//! The block behind `async` is a `$body:block`.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

macro_rules! with_async_block {
    ($name:ident, $body:block) => {
        #[synchronized("block")]
        fn $name() -> impl Future<Output = bool> {
            async $body
        }
    };
}

with_async_block!(async_block, { is_locked("block") });

fn main() {
    assert!(block_on(async_block()));
}
