//! A wait in the kernel that its waiter can leave.
//!
//! The kernel's wait for a lock blocks a thread, has no timeout, and can't be called off. So
//! who must be able to leave, since it is a task or has a timeout, has a thread of its own
//! wait in its place, on a descriptor of its own. When the kernel grants the lock to the
//! thread, the waiter takes over the descriptor, lock and all.
//!
//! A waiter that leaves leaves the thread behind: it gives the lock back as soon as it has
//! it, unless the next waiter in this process has taken its place. So there are at most
//! two such threads for a file, for an exclusive and for a shared wait, and at most
//! [`MOST`] in the process; who finds no thread tries again and again.

use super::descriptor::{Descriptor, Failure};
use super::kernel::LockFile;
use crate::process::OfProcess;
use crate::table::policy::Mode;
use parking_lot::Mutex;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;

/// How many waits there can be at once in the process.
const MOST: usize = 256;

/// The stack of a thread that only waits.
const STACK: usize = 64 * 1024;

/// How many there are.
static WAITING: OfProcess<AtomicUsize> = OfProcess::new();

/// A thread that waits in the kernel.
#[derive(Debug)]
pub(super) struct Wait {
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

/// One of the places for threads that wait.
struct Place(&'static AtomicUsize);

impl Place {
    fn take() -> Option<Self> {
        // Relaxed, here and below: the number is all there is to see.
        let waiting = WAITING.get();
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        // Before it is looked at, so that it is given back.
        let place = Self(waiting);
        (before < MOST).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A waiter's share in a wait. Dropping it leaves the wait.
#[derive(Debug)]
pub(super) struct Claim {
    file: Arc<LockFile>,
    pub(super) wait: Arc<Wait>,
}

impl Wait {
    /// Has a thread wait; `None` if there are too many.
    pub(super) fn start(file: &Arc<LockFile>, mode: Mode, descriptor: Descriptor) -> Option<Claim> {
        let place = Place::take()?;
        let wait = Arc::new(Self {
            mode,
            descriptor: Arc::new(descriptor),
            state: Mutex::new(State::Claimed(None)),
        });
        let claim = Claim {
            file: Arc::clone(file),
            wait: Arc::clone(&wait),
        };
        let file = Arc::clone(file);
        let spawned = thread::Builder::new()
            .name("lockutils-wait".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let _place = place;
                wait.run(&file);
            });
        spawned.is_ok().then_some(claim)
    }

    fn run(self: &Arc<Self>, file: &Arc<LockFile>) {
        let result = file.lock_by(&self.descriptor, self.mode);
        let mut state = self.state.lock();
        match mem::replace(&mut *state, State::Ended(Some(result))) {
            State::Claimed(waker) => {
                drop(state);
                waker.into_iter().for_each(Waker::wake);
            }
            State::Left | State::Ended(_) => {
                drop(state);
                file.end_wait(self);
            }
        }
    }

    /// Takes the place of a waiter that has left; `None` if the wait has ended.
    pub(super) fn claim(self: &Arc<Self>, file: &Arc<LockFile>) -> Option<Claim> {
        let mut state = self.state.lock();
        matches!(*state, State::Left).then(|| {
            *state = State::Claimed(None);
            Claim {
                file: Arc::clone(file),
                wait: Arc::clone(self),
            }
        })
    }

    /// Takes the lock from a thread that has it for nobody, and will give it back.
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
        let mut state = self.wait.state.lock();
        match &mut *state {
            State::Ended(result) => {
                let result = result.take().unwrap_or(Ok(()));
                drop(state);
                if result.is_ok() {
                    self.file.take_over(&self.wait);
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
        let mut state = self.wait.state.lock();
        let old = match *state {
            State::Ended(_) => None,
            State::Claimed(_) | State::Left => Some(mem::replace(&mut *state, State::Left)),
        };
        drop(state); // Before the waker is.
        if old.is_none() {
            self.file.end_wait(&self.wait);
        }
    }
}
