//! Blocking a thread until its waker is called.

use crate::sync::{Condvar, Instant, Mutex};
use std::cell::OnceCell;
use std::mem;
use std::sync::Arc;
use std::task::{Wake, Waker};

/// Blocks a thread until its waker is called.
///
/// Not [`std::thread::park`], whose token the user's own code may be waiting for. It is made
/// when it is first needed, since most locks are free.
#[derive(Debug, Default)]
pub(crate) struct Signal(OnceCell<Arc<Called>>);

#[derive(Debug, Default)]
struct Called {
    called: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn called(&self) -> &Arc<Called> {
        self.0.get_or_init(Arc::default)
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(self.called()))
    }

    /// Returns once for each call of the waker, or for several at once; or when the
    /// deadline has come.
    pub(crate) fn wait(&self, deadline: Option<Instant>) {
        let Called { called, changed } = &**self.called();
        let mut called = called.lock();
        while !mem::take(&mut *called) {
            match deadline {
                None => changed.wait(&mut called),
                Some(deadline) if changed.wait_until(&mut called, deadline).timed_out() => return,
                Some(_) => {}
            }
        }
    }
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        *self.called.lock() = true;
        self.changed.notify_one();
    }
}
