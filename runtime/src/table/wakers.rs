//! Calling those who have waited.

use crate::foreign;
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;
use std::thread;

/// Wakers that have come out of an entry. Declared before the mutex is locked, so
/// that they are called and dropped when it is free again.
#[derive(Default)]
pub(crate) struct Wakers {
    to_call: Option<Waker>,
    more_to_call: Vec<Waker>,
    /// Not called, since its waiter has come itself.
    pub(super) to_drop: Option<Waker>,
}

impl Wakers {
    pub(super) fn call_later(&mut self, waker: Option<Waker>) {
        match self.to_call {
            None => self.to_call = waker,
            Some(_) => self.more_to_call.extend(waker),
        }
    }

    fn call(&mut self, first: Waker) {
        let wakers = iter::once(first).chain(self.more_to_call.drain(..));
        let mut panic = None;
        for waker in wakers {
            // One that panics must not keep those after it from being called.
            let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) else {
                continue;
            };
            if panic.is_none() && !thread::panicking() {
                panic = Some(payload);
            } else {
                foreign::contain(move || drop(payload));
            }
        }
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Wakers {
    #[inline]
    fn drop(&mut self) {
        // Without one there are no more.
        if let Some(first) = self.to_call.take() {
            self.call(first);
        }
    }
}
