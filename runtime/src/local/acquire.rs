//! Taking a lock: one state machine, with a blocking and an async driver.
//!
//! ```text
//! New --free--> Done          New --busy--> Queued --free or handed over--> Done
//!                                             |  ^
//!                                             woken and overtaken
//! ```
//!
//! [`Acquire::poll_acquire`] is a step of it. A waiter keeps its place in the
//! queue until it has the lock, also when it was woken and a newcomer was faster.
//! Who is dropped in `Queued` leaves the queue, and passes on a lock or a wake-up
//! that was on its way to it.

use super::table::{self, Hold, Name, Place};
use crate::key::Key;
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::sync::{Condvar, Mutex};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// What is to be locked, and where in the code.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) space: u64,
    pub(super) key: Key,
    pub(super) site: Site,
}

/// A lock being taken. Dropping it half-way leaves the queue.
#[derive(Debug)]
pub(super) struct Acquire {
    state: State,
}

#[derive(Debug)]
enum State {
    New(Request),
    Queued(Place),
    Done,
}

impl Acquire {
    pub(super) const fn new(request: Request) -> Self {
        Self {
            state: State::New(request),
        }
    }

    /// A step: takes the lock, or sees to it that the waker is called when the next
    /// step is due.
    ///
    /// `owner` and `waker` are what tells the drivers apart. The waker is made only
    /// where the lock is busy.
    #[inline]
    fn poll_acquire(&mut self, owner: Owner, waker: impl FnOnce() -> Waker) -> Poll<Hold> {
        let step = match &self.state {
            State::New(request) => {
                let name = Name::new(request.space, &request.key);
                let record = Record {
                    owner,
                    site: request.site,
                };
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
    #[inline]
    pub(super) fn block(mut self) -> Hold {
        let mut signal = None;
        loop {
            let waker = || Waker::from(Arc::clone(signal.get_or_insert_default()));
            if let Poll::Ready(hold) = self.poll_acquire(Owner::thread(), waker) {
                return hold;
            }
            signal.as_deref().map(Signal::wait);
        }
    }
}

/// The async driver.
impl Future for Acquire {
    type Output = Hold;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Hold> {
        let waker = context.waker();
        self.poll_acquire(Owner::task(waker), || waker.clone())
    }
}

impl Drop for Acquire {
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
