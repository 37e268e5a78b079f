//! The key only borrows the arguments.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized(key = name)]
fn moved_in_the_body(name: String) -> String {
    name
}

#[synchronized(key = name)]
async fn moved_in_the_async_body(mut name: String, (a, b): (u32, u32)) -> String {
    name.push('!');
    assert!(a < b);
    name
}

fn main() {
    assert_eq!(moved_in_the_body("a".into()), "a");
    assert_eq!(block_on(moved_in_the_async_body("a".into(), (1, 2))), "a!");
}
