//! Annotated functions: that they hold what their attribute says, for as long as
//! their body runs.

mod acquire_timeout;
mod block;
mod cache;
mod drop_order;
mod exclusion;
mod failure;
mod guard;
mod instrument;
mod key;
mod keys;
mod later;
mod loss;
mod nonblocking;
mod or_else;
mod reentrant;
mod release;
mod shared;
mod signature;
mod stacked;
mod when;

use lockutils_tests::eventually;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// What an annotated function under test runs as its body.
type Body<'a> = &'a mut (dyn FnMut() + Send);

/// Calls `second` on another thread while `first` is inside, and tells whether it has
/// to wait for `first` to leave.
///
/// `lock` is the key that they are to wait for, or the name of the space where the
/// key is empty; nobody else may wait for it meanwhile.
fn waits(lock: &str, first: impl FnOnce(Body), second: impl FnOnce(Body) + Send) -> bool {
    let is_awaited = || {
        let states = lockutils::snapshot();
        let mut states = states.iter().filter(|state| state.waiters > 0);
        states.any(|state| [state.key.as_str(), state.space].contains(&lock))
    };
    let inside = AtomicBool::new(false);
    let mut waited = false;
    let mut second = Some(second);
    thread::scope(|scope| {
        first(&mut || {
            let second = second.take().expect("a body runs once");
            scope.spawn(|| second(&mut || inside.store(true, Ordering::SeqCst)));
            eventually("the second is inside, or waits", || {
                inside.load(Ordering::SeqCst) || is_awaited()
            });
            waited = !inside.load(Ordering::SeqCst);
        });
    });
    assert!(second.is_none(), "the first ran its body");
    assert!(inside.into_inner(), "the second ran its body");
    waited
}
