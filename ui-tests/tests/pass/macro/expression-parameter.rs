//! The future that the body ends in is an `$future:expr`.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

macro_rules! with_type {
    ($name:ident, $ty:ty, $future:expr) => {
        #[synchronized(key = id)]
        fn $name(id: u32) -> $ty {
            $future
        }
    };
}

with_type!(future_expression, impl Future<Output = u32>, async move { 7 });
with_type!(
    pinned_expression,
    std::pin::Pin<Box<dyn Future<Output = u32>>>,
    Box::pin(async { 8 })
);

fn main() {
    let sum = async { future_expression(7).await + pinned_expression(7).await };
    assert_eq!(block_on(sum), 15);
}
