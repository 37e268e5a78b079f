//! Exact mode: each hold of some locks is told of, when it begins and when it ends.
//!
//! A bucket that is inflated sends all of its locks through the shard's mutex, where an entry sees
//! whatever happens to them. So to see all of a bucket's locks, a reservation on it is kept: for the
//! fast path it is one more bucket that isn't free. What was held thin becomes an entry, as for a
//! look at all locks. [`Exact`](super::kept::Exact) keeps the reservations of one listener, for as long as it lives;
//! several listeners have theirs beside each other, since a bucket counts them.
//!
//! A [`Listener`] has a bit among the [`Ears`](super::ears::Ears), by which the table knows whom to tell: a
//! shard has the bits of each of its buckets, an entry has those of its bucket. They change with the
//! shard's mutex only, so what a listener is told of one lock is whole, and in the order in which it
//! happened:
//!
//! 1. of each hold that there is when it begins to listen, and of each that begins, once by
//!    [`acquired`](Listener::acquired): of one that is handed over, when it is handed over;
//! 2. of each of them once, and not before that, that it ends by [`released`](Listener::released),
//!    or that it still lasts when the listener ends by [`lasts`](Listener::lasts).
//!
//! It is told with the shard's mutex locked, so it takes no lock of this crate, takes no mutex with
//! which one is taken, runs no foreign code, and is quick. The thread that tells is the one that takes
//! or releases, which is not the hold's owner where a lock is handed over, or a guard was sent on.
//!
//! Holds of all kinds are seen, shared ones, one of several permits, entries of the same thread
//! again, and several keys, which are taken one after the other then. Of a lock outside of
//! the process its hold in the process is seen: from when the other one was had, if that was waited for;
//! and if it is waited for still, from when it was asked for.

use super::moment::Moment;
use super::place::Ticket;
use super::policy::Mode;
use crate::key::Key;
use crate::site::Record;

/// A hold, as a listener is told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    /// What no other hold has: the number of the entry, and the ticket.
    pub(crate) id: (u64, Ticket),
    /// The number of the space.
    pub(crate) space: u64,
    /// Of the key.
    pub(crate) text: &'a [u8],
    pub(crate) mode: Mode,
    /// Who has it; of a guard that was sent on nobody is known.
    pub(crate) record: Record,
    /// When it began; of one that was there when the listener came, since when at least it was.
    pub(crate) since: Moment,
}

impl Told<'_> {
    /// A copy of the key, for who looks at it.
    pub(crate) fn key(&self) -> Key {
        Key::from_utf8(self.text)
    }
}

/// Somebody who is told of each hold, see the head of this file.
pub(crate) trait Listener: Sync {
    /// A hold begins, or is there already as the listener comes, or as its task comes that has got another name.
    fn acquired(&self, _hold: &Told<'_>) {}

    /// A hold ends.
    fn released(&self, _hold: &Told<'_>, _at: Moment) {}

    /// A hold is no longer its owner's: its guard was sent on, or the task has got another name.
    fn disowned(&self, _hold: &Told<'_>) {}

    /// A hold lasts, as the listener goes.
    fn lasts(&self, _hold: &Told<'_>, _at: Moment) {}
}
