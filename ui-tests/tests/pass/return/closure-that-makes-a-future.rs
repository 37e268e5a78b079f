//! A closure that makes futures is no future itself.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("a")]
fn closure_of_a_future(add: u32) -> impl Fn(u32) -> std::pin::Pin<Box<dyn Future<Output = u32>>> {
    move |value| Box::pin(async move { value + add })
}

fn main() {
    assert_eq!(block_on(closure_of_a_future(1)(2)), 3);
}
