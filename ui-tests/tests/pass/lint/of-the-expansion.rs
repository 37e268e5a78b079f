//! No lint fires on the expansion, and none has to be allowed.
#![deny(warnings)]
#![forbid(
    unused,
    unsafe_code,
    unreachable_code,
    unused_braces,
    unused_parens,
    single_use_lifetimes,
    unused_qualifications,
    unused_results,
    trivial_casts,
    let_underscore_drop,
    tail_expr_drop_order
)]

use futures::executor::block_on;
use lockutils::{Locks, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized("a")] fn one_line() -> u32 { 1 }

#[synchronized(key = (id))]
fn empty(id: u32) {}

#[synchronized("a", locks = VMS)]
fn in_a_space() -> u32 { 1 }

#[synchronized(key = { id })]
fn only_the_key_reads_it(id: u32) -> u32 { 1 }

#[synchronized("a")]
async fn one_line_async() -> u32 { 1 }

#[synchronized("a", locks = VMS)]
async fn in_a_space_async() -> u32 { 1 }

#[synchronized("a")]
fn block() -> impl Future<Output = u32> { async { 1 } }

#[synchronized("a")]
fn pinned() -> std::pin::Pin<Box<dyn Future<Output = u32>>> { Box::pin(async { 1 }) }

#[synchronized("a")]
fn only_a_loop() {
    loop { break }
}

#[synchronized("a")]
fn never(stop: bool) -> u32 { if stop { 1 } else { panic!() } }

fn main() {
    empty(1);
    only_a_loop();
    assert_eq!(never(true), 1);
    assert_eq!(one_line() + in_a_space() + only_the_key_reads_it(1), 3);
    let sum = async { one_line_async().await + in_a_space_async().await + block().await };
    assert_eq!(block_on(async { sum.await + pinned().await }), 4);
}
