//! Functions that call themselves, with other keys.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized(key = n)]
fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1) }
}

#[synchronized(key = n)]
async fn factorial_async(n: u64) -> u64 {
    if n == 0 {
        return 1;
    }
    n * Box::pin(factorial_async(n - 1)).await
}

fn main() {
    assert_eq!(factorial(5), 120);
    assert_eq!(block_on(factorial_async(5)), 120);
}
