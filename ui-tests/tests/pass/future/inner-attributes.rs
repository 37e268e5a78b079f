//! So may that of a function that returns a future.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("a")]
fn future_body() -> impl Future<Output = u32> {
    #![allow(unused_variables)]
    let unused = 1;
    async move {
        let unused = 2;
        3
    }
}

fn main() {
    assert_eq!(block_on(future_body()), 3);
}
