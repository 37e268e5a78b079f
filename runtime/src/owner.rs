//! Who a holder is: a thread or a task, in one word that is cheap to write down.
//!
//! A thread draws a number when it first takes a lock, and is registered under it
//! until it ends, so that its name can be had later. It keeps the number to its very
//! end, since the destructors of its thread-locals may take locks too. A task is known
//! by the data pointer of its waker.

use crate::ordered::{OrderedMap, Ranked};
use crate::process::ThreadId;
use crate::sync::Ordering;
use crate::sync::ambient::{AtomicU64, Mutex};
use std::cell::Cell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread::{self, Thread};

/// A thread's number, or [`TASK`] and a waker's data pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner(u64);

/// A task, as far as a lock engine knows it: by its waker.
#[derive(Clone, Copy, Debug)]
pub struct Task(pub(crate) Owner);

impl Task {
    /// The task that is being polled.
    #[inline]
    pub const fn current() -> CurrentTask {
        CurrentTask
    }
}

/// Gives the task that polls it. It has a name since that of an `impl Future` is found out anew
/// for each function that is annotated, which takes the compiler longer.
#[must_use = "a future does nothing until it is awaited"]
#[derive(Debug)]
pub struct CurrentTask;

impl Future for CurrentTask {
    type Output = Task;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Task> {
        Poll::Ready(Task(Owner::task(context.waker())))
    }
}

/// Set in a task's word. No pointer and no thread's number reaches this bit.
const TASK: u64 = 1 << 63;

/// [`Owner::UNKNOWN`].
const UNKNOWN: u64 = TASK - 1;

static THREADS: Mutex<Threads> = Mutex::new(Threads {
    last: 0,
    running: OrderedMap::new(),
    ended: VecDeque::new(),
});

/// How many threads that have ended are kept.
const KEPT: usize = 1024;

struct Threads {
    last: u64,
    running: OrderedMap<u64, Numbered>,
    /// The last ones that have ended, for who looks up later who was a holder.
    ended: VecDeque<(u64, Numbered)>,
}

/// How many threads have ended. Changes with the mutex of [`THREADS`].
static ENDED: AtomicU64 = AtomicU64::new(0);

/// A moment, as far as threads are concerned: how many of them had ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epoch(u64);

impl Epoch {
    /// What is looked up of a thread from now on is what it is now.
    #[inline]
    pub(crate) fn now() -> Self {
        // Relaxed: who sees a thread hold a lock has seen no end of it, and may miss that of others.
        Self(ENDED.load(Ordering::Relaxed))
    }
}

/// A thread that has drawn a number.
#[derive(Clone)]
pub(crate) struct Numbered {
    pub(crate) thread: Thread,
    id: Option<ThreadId>,
}

impl Numbered {
    /// The system's id of it.
    pub(crate) fn id(&self) -> Option<u32> {
        self.id?.get()
    }
}

thread_local! {
    /// The thread's number, zero until it is drawn. Without a destructor, so that
    /// reading it is one instruction.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    /// Ends the registration with the thread.
    static REGISTRATION: Registration = const { Registration };
}

struct Registration;

impl Drop for Registration {
    fn drop(&mut self) {
        let number = NUMBER.get();
        let mut threads = THREADS.lock();
        let Threads { running, ended, .. } = &mut *threads;
        if let Some(thread) = running.remove(&number) {
            if ended.len() == KEPT {
                ended.pop_front();
            }
            ended.push_back((number, thread));
            // Relaxed, as in `Epoch::now`.
            ENDED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cold]
fn draw() -> u64 {
    let registered = REGISTRATION.try_with(|_| ()).is_ok();
    let numbered = registered.then(|| Numbered {
        thread: thread::current(),
        id: ThreadId::current(),
    });
    let mut threads = THREADS.lock();
    threads.last += 1;
    let number = threads.last;
    if let Some(numbered) = numbered {
        threads.running.insert(number, numbered);
    }
    NUMBER.set(number);
    number
}

impl Ranked for Owner {
    fn rank(self) -> [u64; 4] {
        [self.0, 0, 0, 0]
    }
}

impl Owner {
    /// Whoever has a guard that was sent on. Takes no locks and waits for none.
    pub(crate) const UNKNOWN: Self = Self(UNKNOWN);

    /// The calling thread.
    #[inline]
    pub(crate) fn thread() -> Self {
        Self::known_thread().unwrap_or_else(|| Self(draw()))
    }

    /// The calling thread, once it has a number.
    #[cfg(not(all(test, loom)))]
    #[inline]
    pub(crate) fn known_thread() -> Option<Self> {
        Some(Self(NUMBER.get())).filter(|owner| owner.0 != 0)
    }

    #[cfg(all(test, loom))]
    pub(crate) fn known_thread() -> Option<Self> {
        Some(Self(crate::sync::thread_number()))
    }

    /// The task that the waker wakes.
    #[inline]
    pub(crate) fn task(waker: &Waker) -> Self {
        Self(TASK | waker.data().addr() as u64)
    }

    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// The one that has this word.
    pub(crate) const fn of_word(word: u64) -> Self {
        Self(word)
    }

    pub(crate) const fn is_task(self) -> bool {
        self.0 & TASK != 0
    }

    /// Whether it is a thread. In the order of owners those come before all others.
    pub(crate) const fn is_thread(self) -> bool {
        self.0 < UNKNOWN
    }

    /// The thread, if it is one that has ended and is kept.
    pub(crate) fn find_ended(self) -> Option<Thread> {
        self.find_ended_since(Epoch(0)).map(|thread| thread.thread)
    }

    /// The thread, if it is one that ran at that moment, still runs or is kept.
    pub(crate) fn find_thread_of(self, epoch: Epoch) -> Option<Numbered> {
        self.find_thread().or_else(|| self.find_ended_since(epoch))
    }

    /// The thread, if it is one that has ended after that moment, and is kept.
    fn find_ended_since(self, Epoch(epoch): Epoch) -> Option<Numbered> {
        let threads = THREADS.lock();
        let since = (epoch..ENDED.load(Ordering::Relaxed)).rev();
        let mut last_first = threads.ended.iter().rev().zip(since);
        let found = last_first.find(|((number, _), _)| *number == self.0);
        found.map(|((_, thread), _)| thread.clone())
    }

    /// The thread, if it is one and still runs.
    pub(crate) fn find_thread(self) -> Option<Numbered> {
        THREADS.lock().running.get(&self.0).cloned()
    }
}
