//! Taking a lock: one state machine, with a blocking and an async driver.
//!
//! ```text
//! New --free--> Done          New --busy--> Queued --free or handed over--> Done
//!                                             |  ^
//!                                             woken and overtaken
//! ```
//!
//! [`LockFuture::step`] is a step of it. A waiter keeps its place in the queue until
//! it has the lock, also when it was woken and a newcomer was faster. Who is dropped
//! in `Queued` leaves the queue, and passes on a lock or a wake-up that was on its
//! way to it.

use super::table::{self, Hold, Name, Place};
use crate::guard::AsyncGuard;
use crate::key::Key;
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::sync::{Condvar, Mutex};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// A lock being waited for; awaiting it gives an [`AsyncGuard`].
///
/// Made by [`Handle::lock_async`](super::Handle::lock_async) and
/// [`lock_async`](super::lock_async).
///
/// # Cancel safety
///
/// Dropping it leaves the queue; a lock that was just being handed over to it
/// goes to the next waiter.
#[derive(Debug)]
#[must_use = "a future takes no lock until it is awaited"]
pub struct LockFuture {
    state: State,
}

#[derive(Debug)]
enum State {
    New { space: u64, key: Key, site: Site },
    Queued(Place),
    Done,
}

impl LockFuture {
    pub(super) const fn new(space: u64, key: Key, site: Site) -> Self {
        Self {
            state: State::New { space, key, site },
        }
    }

    /// A step: takes the lock, or sees to it that the waker is called when the next
    /// step is due.
    ///
    /// `owner` and `waker` are what tells the drivers apart. The waker is made only
    /// where the lock is busy.
    #[inline]
    fn step(&mut self, owner: Owner, waker: impl FnOnce() -> Waker) -> Poll<Hold> {
        let step = match &self.state {
            State::New { space, key, site } => {
                let name = Name::new(*space, key.as_bytes());
                let record = Record { owner, site: *site };
                match table::try_take(name, record) {
                    Some(hold) => Ok(hold),
                    None => table::take_or_queue(name, record, waker()),
                }
            }
            State::Queued(place) => table::retry(*place, waker()).ok_or(*place),
            State::Done => panic!("`LockFuture` polled after it gave its guard"),
        };
        match step {
            Ok(hold) => {
                self.state = State::Done;
                Poll::Ready(hold)
            }
            Err(place) => {
                self.state = State::Queued(place);
                Poll::Pending
            }
        }
    }

    /// The blocking driver.
    #[cold]
    pub(super) fn block(mut self) -> Hold {
        let signal = Arc::new(Signal::default());
        let waker = Waker::from(Arc::clone(&signal));
        loop {
            match self.step(Owner::thread(), || waker.clone()) {
                Poll::Ready(hold) => return hold,
                Poll::Pending => signal.wait(),
            }
        }
    }
}

/// The async driver.
impl Future for LockFuture {
    type Output = AsyncGuard;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AsyncGuard> {
        let waker = context.waker();
        self.step(Owner::task(waker), || waker.clone())
            .map(AsyncGuard::new)
    }
}

impl Drop for LockFuture {
    #[inline]
    fn drop(&mut self) {
        if let State::Queued(place) = self.state {
            table::leave(place);
        }
    }
}

/// Blocks a thread until its waker is called.
///
/// Not [`std::thread::park`], whose token the user's own code may be waiting for.
#[derive(Debug, Default)]
struct Signal {
    called: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Returns once for each call of the waker, or for several at once.
    fn wait(&self) {
        let mut called = self.called.lock();
        while !*called {
            self.changed.wait(&mut called);
        }
        *called = false;
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.called.lock() = true;
        self.changed.notify_one();
    }
}
