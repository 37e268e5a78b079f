//! So it does in an async function.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("a")]
async fn closure_of_an_async_function() -> impl Fn(&str) -> &str {
    |text| &text[1..]
}

fn main() {
    assert_eq!(block_on(closure_of_an_async_function())("ab"), "b");
}
