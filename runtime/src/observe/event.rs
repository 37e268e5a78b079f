//! What an observer is told.

use super::outcome::Outcome;
use crate::deadlock::Deadlock;
use crate::fence::Fence;
use crate::holder::Holder;
use crate::key::Key;
use crate::order::found::LockOrder;
use crate::table::policy::Mode;
use crate::table::watched::Watched;
use std::fmt;
use std::time::Duration;

/// What happened where locks are waited for. Nothing is told of locks that are free.
///
/// More may come.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A thread or a task has begun to wait for a lock.
    WaitBegin(&'a Wait<'a>),
    /// It waits no more; what that has come to, and how long it was. The one of whom
    /// [`WaitBegin`](Event::WaitBegin) was told.
    WaitEnd(&'a Wait<'a>, Outcome, Duration),
    /// It has waited for so long, and still does. After a second, and each time that it has doubled;
    /// on a thread of its own, and of those who are in the way now.
    LongWait(&'a Wait<'a>, Duration),
    /// A lock has been held for so long at least, see [`long_holds`](super::long_holds); and again
    /// when that has ended, see [`Hold::has_ended`]. On a thread of its own.
    LongHold(&'a Hold<'a>, Duration),
    /// A waiter could have had the lock for so long, at least a second, and hasn't come: its
    /// future isn't polled, or its thread doesn't run. On a thread of its own.
    NotPolled(&'a Wait<'a>, Duration),
    /// A lock of a server was lost while it was held: others may have it, and whoever had it may not know yet.
    /// On the thread that has found out: one that looks at its guard, or the one that talks to the server, which
    /// renews no lease and answers nobody until the observer returns. So it is to be quick, and neither takes nor
    /// releases a lock of that server.
    Lost(&'a Loss<'a>),
    /// There is a deadlock, or there may be one, see [`set_deadlock_hook`](crate::set_deadlock_hook).
    Deadlock(&'a Deadlock),
    /// Locks are taken in two orders, see [`lock_order`](super::lock_order()). By the thread that takes
    /// them in the second one.
    LockOrder(&'a LockOrder),
}

/// A wait for a lock.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    watched: &'a Watched,
}

impl<'a> Wait<'a> {
    pub(super) const fn new(watched: &'a Watched) -> Self {
        Self { watched }
    }

    /// The name of the lock space.
    #[must_use]
    pub fn space(&self) -> &str {
        self.watched.space()
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.watched.key
    }

    /// Whether it is to have the lock together with others.
    #[must_use]
    pub fn shared(&self) -> bool {
        self.watched.mode == Mode::Shared
    }

    /// Who waits, and where in the code.
    #[must_use]
    pub fn who(&self) -> &Holder {
        self.watched.details.who()
    }

    /// Who was in the way when the event came, or when the wait that ends began: those who had the
    /// lock, a hundred of them at most, or the waiter that was called to take it.
    #[must_use]
    pub fn holders(&self) -> &[Holder] {
        self.watched.details.holders()
    }

    /// How many were in the queue before it.
    #[must_use]
    pub const fn ahead(&self) -> usize {
        self.watched.details.ahead
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("space", &self.space())
            .field("key", self.key())
            .field("shared", &self.shared())
            .field("who", self.who())
            .field("holders", &self.holders())
            .field("ahead", &self.ahead())
            .finish()
    }
}

/// A lock of a server that was lost while it was held.
#[derive(Clone, Copy, Debug)]
pub struct Loss<'a> {
    pub(crate) space: &'a str,
    pub(crate) key: &'a Key,
    pub(crate) who: &'a Holder,
    pub(crate) fence: Fence,
    pub(crate) reason: &'a str,
}

impl Loss<'_> {
    /// The name of the lock space.
    #[must_use]
    pub const fn space(&self) -> &str {
        self.space
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        self.key
    }

    /// Who had it, and where in the code it was taken; of those who shared it, the first.
    #[must_use]
    pub const fn who(&self) -> &Holder {
        self.who
    }

    /// The fencing token of the hold that was lost.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        self.fence
    }

    /// How it came, such as `its server has it no longer`.
    #[must_use]
    pub const fn reason(&self) -> &str {
        self.reason
    }
}

/// A lock that is held for long.
#[derive(Clone, Copy, Debug)]
pub struct Hold<'a> {
    pub(super) space: &'a str,
    pub(super) key: &'a Key,
    pub(super) who: &'a Holder,
    pub(super) has_ended: bool,
}

impl Hold<'_> {
    /// The name of the lock space.
    #[must_use]
    pub const fn space(&self) -> &str {
        self.space
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &Key {
        self.key
    }

    /// Who has it, and where in the code it was taken.
    #[must_use]
    pub const fn who(&self) -> &Holder {
        self.who
    }

    /// Whether it is over by now.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.has_ended
    }
}
