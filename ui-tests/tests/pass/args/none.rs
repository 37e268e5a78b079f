//! No arguments, with and without parentheses.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized]
fn own() -> u32 {
    1
}

#[synchronized()]
fn own_with_parentheses() -> u32 {
    2
}

#[synchronized]
async fn own_async() -> u32 {
    3
}

fn main() {
    assert_eq!(own() + own_with_parentheses(), 3);
    assert_eq!(block_on(own_async()), 3);
}
