//! So may that of an async function.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("a")]
async fn async_body() -> u32 {
    #![allow(unused_variables)]
    let unused = 1;
    2
}

fn main() {
    assert_eq!(block_on(async_body()), 2);
}
