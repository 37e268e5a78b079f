//! A future polled step by step.

use crate::limit::eventually;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A future that runs only when [`ByHand::poll`] is called, and counts how often it
/// was woken.
///
/// Each poll comes with a waker of its own, as a task's does that moves from one
/// executor to another, and only calls of the latest are counted: a future must
/// call no other.
pub struct ByHand<F> {
    future: Pin<Box<F>>,
    latest: Arc<Calls>,
}

#[derive(Default)]
struct Calls(AtomicUsize);

impl<F: Future> ByHand<F> {
    /// Takes a future, without polling it.
    pub fn new(future: F) -> Self {
        Self {
            future: Box::pin(future),
            latest: Arc::default(),
        }
    }

    /// Polls once; from here on [`ByHand::woken`] counts from zero.
    pub fn poll(&mut self) -> Poll<F::Output> {
        self.latest = Arc::default();
        let waker = Waker::from(Arc::clone(&self.latest));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// How often the latest poll's waker was called.
    #[must_use]
    pub fn woken(&self) -> usize {
        self.latest.0.load(Ordering::SeqCst)
    }

    /// Goes on as an executor would: polls only when the latest poll's waker has been
    /// called. So a wake-up that was lost is a wait without end.
    #[must_use]
    pub fn finish(mut self) -> F::Output {
        loop {
            eventually("the waker is called", || self.woken() > 0);
            if let Poll::Ready(output) = self.poll() {
                return output;
            }
        }
    }

    /// The future, to go on with it otherwise.
    #[must_use]
    pub fn into_inner(self) -> Pin<Box<F>> {
        self.future
    }
}

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
