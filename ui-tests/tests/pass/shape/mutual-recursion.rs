//! Functions that call each other and themselves, sync and async, for other keys.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Locks, synchronized};

static EVEN: Locks = Locks::new("even");
static ODD: Locks = Locks::new("odd");

#[synchronized(key = n, locks = EVEN)]
fn is_even(n: u32) -> bool {
    n == 0 || is_odd(n - 1)
}

#[synchronized(key = n, locks = ODD)]
fn is_odd(n: u32) -> bool {
    n != 0 && is_even(n - 1)
}

#[synchronized("depth-{depth}")]
fn generic<T: Clone>(value: T, depth: u32) -> Vec<T> {
    if depth == 0 {
        return vec![];
    }
    let mut values = generic(value.clone(), depth - 1);
    values.push(value);
    values
}

#[synchronized("tree-{depth}")]
async fn tree(depth: u32) -> u32 {
    if depth == 0 {
        return 1;
    }
    // One after the other, since they have one key.
    Box::pin(tree(depth - 1)).await + Box::pin(tree(depth - 1)).await
}

fn main() {
    assert!(is_even(10) && is_odd(7));
    assert_eq!(generic('x', 3), ['x', 'x', 'x']);
    assert_eq!(block_on(tree(3)), 8);
}
