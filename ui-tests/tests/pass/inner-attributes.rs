//! A body may begin with attributes of its own.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("a")]
fn sync_body() -> u32 {
    #![allow(unused_variables)]
    #![allow(unused_mut)]
    let mut unused = 1;
    2
}

#[synchronized("a")]
async fn async_body() -> u32 {
    #![allow(unused_variables)]
    let unused = 1;
    2
}

#[synchronized("a")]
fn future_body() -> impl Future<Output = u32> {
    #![allow(unused_variables)]
    let unused = 1;
    async move {
        let unused = 2;
        3
    }
}

#[synchronized("a")]
fn only_attributes() {
    #![allow(unused)]
}

fn main() {
    only_attributes();
    assert_eq!(sync_body() + block_on(async_body()) + block_on(future_body()), 7);
}
