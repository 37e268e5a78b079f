//! The guard is returned, owned.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{AsyncGuard, Guard, is_locked, synchronized};

#[synchronized(key = id, guard = guard)]
fn enter(id: &str) -> (Guard, usize) {
    (guard, id.len())
}

#[synchronized(key = id, guard = guard)]
async fn enter_async(id: &str) -> AsyncGuard {
    guard
}

fn main() {
    let (guard, _) = enter(&String::from("a"));
    assert!(is_locked("a"));
    drop(guard);
    let guard = block_on(enter_async("a"));
    assert!(is_locked("a"));
    drop(guard);
    assert!(!is_locked("a"));
}
