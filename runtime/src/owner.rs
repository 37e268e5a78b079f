//! Who a holder is: a thread or a task, in one word that is cheap to write down.
//!
//! A thread draws a number when it first takes a lock, and is registered under it
//! until it ends, so that its name can be had later. A task is known by the data
//! pointer of its waker.

use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::task::Waker;
use std::thread::{self, Thread};

/// A thread's number, or [`TASK`] and a waker's data pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u64);

/// Set in a task's word. No pointer and no thread's number reaches this bit.
const TASK: u64 = 1 << 63;

/// A thread that takes a lock while its thread-locals are being destroyed.
const UNKNOWN: Owner = Owner(0);

static THREADS: Mutex<Threads> = Mutex::new(Threads {
    last: 0,
    running: BTreeMap::new(),
});

struct Threads {
    last: u64,
    running: BTreeMap<u64, Thread>,
}

/// A running thread's registration.
struct Registration(Owner);

thread_local! {
    static REGISTRATION: Registration = Registration::new();
}

impl Registration {
    fn new() -> Self {
        let mut threads = THREADS.lock();
        threads.last += 1;
        let number = threads.last;
        threads.running.insert(number, thread::current());
        Self(Owner(number))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        THREADS.lock().running.remove(&self.0.0);
    }
}

impl Owner {
    /// The calling thread.
    #[inline]
    pub(crate) fn thread() -> Self {
        REGISTRATION
            .try_with(|registration| registration.0)
            .unwrap_or(UNKNOWN)
    }

    /// The task that the waker wakes.
    #[inline]
    pub(crate) fn task(waker: &Waker) -> Self {
        Self(TASK | waker.data().addr() as u64)
    }

    pub(crate) const fn is_task(self) -> bool {
        self.0 & TASK != 0
    }

    /// The thread, if it is one and still runs.
    pub(crate) fn find_thread(self) -> Option<Thread> {
        THREADS.lock().running.get(&self.0).cloned()
    }

    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    pub(crate) const fn from_word(word: u64) -> Self {
        Self(word)
    }
}
