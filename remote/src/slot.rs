//! Where somebody who asks finds the answer: what an asker and the agent have in common.

use crate::store::Taken;
use lockutils::engine::{Lease, Refusal};
use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// What is known of a lock while somebody in this process wants or has it: who has it elsewhere,
/// as the server said last.
#[derive(Debug, Default)]
pub(crate) struct InTheWay(Mutex<Option<Taken>>);

/// What is said to who gives up before there is any answer.
const SILENT: &str = "its server has not said yet whether it is free; see that it runs and can be reached, or \
                      wait for longer";

/// The answer to one question.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    reply: Option<Reply>,
    /// Whether the server has said that somebody else has the lock.
    is_busy: bool,
    /// Why the server couldn't be reached, since it was last tried in vain.
    unreached: Option<Arc<str>>,
    waker: Option<Waker>,
}

/// An answer.
#[derive(Debug)]
pub(crate) enum Reply {
    Granted(Lease),
    Busy,
    Refused(Refusal),
    Seen(Vec<Taken>),
}

/// The agent's end of a slot. Where it is dropped without an answer, that is one too: nobody is
/// left who would give another.
pub(crate) struct Promise {
    slot: Arc<Slot>,
    is_kept: bool,
}

impl InTheWay {
    pub(crate) fn set(&self, taken: Option<Taken>) {
        let old = mem::replace(&mut *lock(&self.0), taken);
        drop(old);
    }

    pub(crate) fn get(&self) -> Option<Taken> {
        lock(&self.0).clone()
    }
}

impl Slot {
    /// The answer, once; else sees to it that the waker is called when it comes.
    pub(crate) fn poll(&self, waker: impl FnOnce() -> Waker) -> Poll<Reply> {
        let mut inner = lock(&self.0);
        if let Some(reply) = inner.reply.take() {
            return Poll::Ready(reply);
        }
        let old = inner.waker.replace(waker());
        drop(inner); // Before the old waker is.
        drop(old);
        Poll::Pending
    }

    /// Whether the server has said that somebody else has the lock, to who waits for it.
    pub(crate) fn is_busy(&self) -> bool {
        lock(&self.0).is_busy
    }

    /// Why it is not known whether the lock is free, with what helps; `None` if it is known.
    pub(crate) fn unanswered(&self) -> Option<Cow<'static, str>> {
        let inner = lock(&self.0);
        match &inner.unreached {
            Some(why) => Some(why.to_string().into()),
            None if inner.is_busy => None,
            None => Some(SILENT.into()),
        }
    }

    fn set_busy(&self) {
        let mut inner = lock(&self.0);
        let waker = if mem::replace(&mut inner.is_busy, true) {
            None // It knows.
        } else {
            inner.waker.take()
        };
        drop(inner);
        wake(waker);
    }

    fn put(&self, reply: Reply) {
        let mut inner = lock(&self.0);
        let old = inner.reply.replace(reply);
        let waker = inner.waker.take();
        drop(inner);
        drop(old);
        wake(waker);
    }
}

fn wake(waker: Option<Waker>) {
    // One that panics is no reason for the others to hang.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.map(Waker::wake))) {
        mem::forget(payload);
    }
}

impl Promise {
    pub(crate) fn of(slot: &Arc<Slot>) -> Self {
        Self {
            slot: Arc::clone(slot),
            is_kept: false,
        }
    }

    /// Says that somebody else has the lock, which is no answer to who waits.
    pub(crate) fn set_busy(&self) {
        self.slot.set_busy();
    }

    /// Says why the server can't be reached, or that it can. Nobody is woken for that: it is for who gives up.
    pub(crate) fn set_unreached(&self, why: Option<Arc<str>>) {
        let old = mem::replace(&mut lock(&self.slot.0).unreached, why);
        drop(old);
    }

    /// Answers.
    pub(crate) fn keep(&mut self, reply: Reply) {
        self.is_kept = true;
        self.slot.put(reply);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if !self.is_kept {
            self.slot.put(Reply::Refused(ended()));
        }
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Promise").field(&self.is_kept).finish()
    }
}

/// There is nobody any more who talks to the server.
pub(crate) fn ended() -> Refusal {
    Refusal::unavailable(
        "the thread that talks to its server has panicked; see what it printed, and try again",
    )
}

/// Nothing that panics is half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
