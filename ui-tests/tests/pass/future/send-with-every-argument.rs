//! The future is `Send` with every argument.
#![deny(warnings)]

use lockutils::{Error, synchronized};
use std::time::Duration;

#[synchronized(keys = std::rc::Rc::new([id]).iter(), nonblocking)]
async fn keys(id: u32) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = id, acquire_timeout = *std::rc::Rc::new(Duration::ZERO), shared)]
async fn timeout(id: u32) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = id, when = *std::rc::Rc::new(true))]
async fn when(id: u32) {}

#[synchronized(key = id, guard = guard, nonblocking, or_else = |_| ())]
async fn guard(id: u32) {
    std::future::ready(()).await;
    drop(guard);
}

fn assert_send(_: impl Send) {}

fn main() {
    assert_send(keys(7));
    assert_send(timeout(7));
    assert_send(when(7));
    assert_send(guard(7));
}
