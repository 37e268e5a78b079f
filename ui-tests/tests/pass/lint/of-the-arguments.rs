//! No lint fires on what the arguments expand to.
#![deny(warnings)]
#![forbid(
    unused,
    unsafe_code,
    unreachable_code,
    unused_braces,
    unused_parens,
    for_loops_over_fallibles,
    single_use_lifetimes,
    unused_qualifications,
    unused_results,
    trivial_casts,
    let_underscore_drop,
    tail_expr_drop_order
)]

use futures::executor::block_on;
use lockutils::{Error, is_locked, synchronized};
use std::time::Duration;

#[synchronized(keys = (ids))]
fn keys(ids: &[u32]) -> usize { ids.len() }

#[synchronized(keys = [1, 2], shared)]
async fn keys_async() {}

#[synchronized("a", when = (locked))]
fn when(locked: bool) -> bool { is_locked("a") }

#[synchronized("a", when = locked)]
async fn when_async(locked: bool) {}

#[synchronized("a", acquire_timeout = "1s")]
fn timeout() -> Result<u32, Error> { Ok(1) }

#[synchronized("a", acquire_timeout = Duration::ZERO, or_else = |_| ())]
async fn timeout_async() {}

#[synchronized("a", nonblocking, or_else = |_| panic!())]
fn tried() -> u32 { 1 }

#[synchronized("a", reentrant)]
fn reentrant() {}

fn main() {
    assert_eq!(keys(&[1]), 1);
    assert!(when(true));
    assert_eq!(timeout().unwrap() + tried(), 2);
    reentrant();
    block_on(async {
        keys_async().await;
        when_async(true).await;
        timeout_async().await;
    });
}
