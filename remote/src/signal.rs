//! Blocking a thread until a future is ready.

use crate::slot::lock;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Not [`std::thread::park`], whose token the user's own code may be waiting for.
#[derive(Default)]
struct Signal {
    called: Mutex<bool>,
    changed: Condvar,
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let signal = Arc::new(Signal::default());
    let waker = Waker::from(Arc::clone(&signal));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(it) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return it;
        }
        let called = signal
            .changed
            .wait_while(lock(&signal.called), |called| !*called);
        *called.unwrap_or_else(PoisonError::into_inner) = false;
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *lock(&self.called) = true;
        self.changed.notify_one();
    }
}
