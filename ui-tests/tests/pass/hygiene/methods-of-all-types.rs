//! A trait of the user's may give methods to all types.

use futures::executor::block_on;
use lockutils::{is_locked, key, lock, synchronized};
use std::fmt::Display;

trait All {
    fn piece(&self) {}
    fn lone_piece(&self) {}
}

impl<T: ?Sized> All for T {}

trait Owned: Sized {
    fn new() {}
    fn piece(self) {}
    fn lock(self) {}
    fn wait(self) {}
    fn timed(self) {}
}

impl<T> Owned for T {}

#[synchronized("vm-{id}")]
fn start(id: u32) -> bool {
    is_locked("vm-7")
}

#[synchronized("vm-{id}", acquire_timeout = "1min", or_else = |_| false)]
async fn stop(id: impl Display) -> bool {
    is_locked("vm-0.5")
}

fn main() {
    assert!(start(7) && block_on(stop(0.5)));
    let share = 1.5;
    let _guard = lock(key!("vm-{share}"));
    assert!(is_locked("vm-1.5"));
}
