//! Threads that wait in the kernel in the place of those who must be able to leave.
//!
//! The kernel's wait for a lock blocks a thread, has no timeout, and can't be called off. So
//! who must be able to leave, since it is a task or has a timeout, has a [`Sleeper`] wait in its
//! place: a thread, with a descriptor of its own. When the kernel grants the lock to the
//! thread, the waiter takes over the descriptor, lock and all, by its [`Claim`].
//!
//! A waiter that leaves leaves the sleeper behind: it gives the lock back as soon as it has
//! it, unless the next waiter in this process has claimed it. So there are at most
//! two sleepers for a file, for an exclusive and for a shared wait, and at most
//! [`MOST`] in the process; who finds no [`Seat`] for one tries again and again.

use super::descriptor::{Descriptor, Failure};
use crate::process::OfProcess;
use crate::table::policy::Mode;
use crate::worker;
use parking_lot::Mutex;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

/// How many sleepers there can be at once in the process.
const MOST: usize = 256;

/// The stack of a thread that only waits.
const STACK: usize = 64 * 1024;

/// How many there are.
static SEATED: OfProcess<AtomicUsize> = OfProcess::new();

/// A lock file, as far as its sleepers are concerned.
pub(super) trait Awaited: fmt::Debug + Send + Sync {
    /// Blocks the thread until the sleeper's descriptor has the lock.
    fn lock_for(self: Arc<Self>, sleeper: &Sleeper) -> Result<(), Failure>;

    /// Goes on with the sleeper's descriptor, and the lock that it has.
    fn take_over(&self, sleeper: &Sleeper);

    /// Forgets a sleeper that has ended, and so perhaps the file.
    fn end(self: Arc<Self>, sleeper: &Arc<Sleeper>);
}

/// A thread that waits in the kernel.
#[derive(Debug)]
pub(super) struct Sleeper {
    pub(super) mode: Mode,
    pub(super) descriptor: Arc<Descriptor>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// The thread waits, and this one with it.
    Claimed(Option<Waker>),
    /// The thread waits, for nobody.
    Left,
    /// The thread has the lock, or knows that it won't.
    Ended(Option<Result<(), Failure>>),
}

/// One of the seats for sleepers.
struct Seat(&'static AtomicUsize);

impl Seat {
    fn take() -> Option<Self> {
        // Relaxed, here and below: the number is all there is to see.
        let seated = SEATED.get();
        let before = seated.fetch_add(1, Ordering::Relaxed);
        // Before it is looked at, so that it is given back.
        let seat = Self(seated);
        (before < MOST).then_some(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A waiter's part of a sleeper. Dropping it leaves the sleeper behind.
#[derive(Debug)]
pub(super) struct Claim {
    file: Arc<dyn Awaited>,
    pub(super) sleeper: Arc<Sleeper>,
}

impl Sleeper {
    /// Starts a thread that waits; `None` if there are too many.
    pub(super) fn start(
        file: Arc<dyn Awaited>,
        mode: Mode,
        descriptor: Descriptor,
    ) -> Option<Claim> {
        let seat = Seat::take()?;
        let sleeper = Arc::new(Self {
            mode,
            descriptor: Arc::new(descriptor),
            state: Mutex::new(State::Claimed(None)),
        });
        let claim = Claim {
            file: Arc::clone(&file),
            sleeper: Arc::clone(&sleeper),
        };
        let run = move || {
            let _seat = seat;
            sleeper.run(file);
        };
        let spawned = worker::start("lockutils-wait", Some(STACK), Box::new(run));
        spawned.is_ok().then_some(claim)
    }

    fn run(self: &Arc<Self>, file: Arc<dyn Awaited>) {
        let result = Arc::clone(&file).lock_for(self);
        let mut state = self.state.lock();
        match mem::replace(&mut *state, State::Ended(Some(result))) {
            State::Claimed(waker) => {
                drop(state);
                waker.into_iter().for_each(Waker::wake);
            }
            State::Left | State::Ended(_) => {
                drop(state);
                file.end(self);
            }
        }
    }

    /// Takes the place of a waiter that has left; `None` if the wait has ended.
    pub(super) fn claim(self: &Arc<Self>, file: Arc<dyn Awaited>) -> Option<Claim> {
        let mut state = self.state.lock();
        matches!(*state, State::Left).then(|| {
            *state = State::Claimed(None);
            Claim {
                file,
                sleeper: Arc::clone(self),
            }
        })
    }

    /// Releases the lock where the thread got it, or is about to, after its waiter had left.
    pub(super) fn give_back(&self) {
        if matches!(*self.state.lock(), State::Left | State::Ended(_)) {
            // The thread itself tries no other way.
            let _ = self.descriptor.unlock();
        }
    }
}

impl Claim {
    /// Whether the wait has ended; else sees to it that the waker is called when it has.
    pub(super) fn poll(&self, waker: Waker) -> Poll<Result<(), Failure>> {
        let mut state = self.sleeper.state.lock();
        match &mut *state {
            State::Ended(result) => {
                let result = result.take().unwrap_or(Ok(()));
                drop(state);
                if result.is_ok() {
                    self.file.take_over(&self.sleeper);
                }
                Poll::Ready(result)
            }
            waiting => {
                let old = mem::replace(waiting, State::Claimed(Some(waker)));
                drop(state); // Before the old waker is.
                drop(old);
                Poll::Pending
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.sleeper.state.lock();
        let old = match *state {
            State::Ended(_) => None,
            State::Claimed(_) | State::Left => Some(mem::replace(&mut *state, State::Left)),
        };
        drop(state); // Before the waker is.
        if old.is_none() {
            Arc::clone(&self.file).end(&self.sleeper);
        }
    }
}
