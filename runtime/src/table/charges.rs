//! What waits have come to, between an entry and [`costs`].
//!
//! A lock that somebody waits for has a [`Bill`] in its entry, to which each wait that ends is added. When nobody waits
//! for it any more, or the bill has no room, that goes into the lock's [`Account`], which stays when the entry is gone. Of
//! the last few locks of a shard there are such, under the shard's mutex: a [`Tally`]. A lock that is waited for again
//! and again is nearly always among them, so nothing more is locked. What the [recorder](crate::timeline::recorder) is
//! to have goes the same way: to it some at a time, or when another lock of the shard comes, or when somebody reads: with
//! the shard's mutex, so that who has looked at the shard has all that was over by then.

use super::entry::Entry;
use super::identity::name_part;
#[cfg(feature = "metrics")]
use crate::costs::Told;
use crate::costs::{self, Account, Bill};
use crate::key::Key;
use crate::timeline::recorder;
use crate::timeline::rows::{Run, kept_key};
use std::mem;
use std::sync::Arc;

/// Of so many locks of a shard there are accounts. In a model one has to give way to the other.
const MOST: usize = if cfg!(all(test, loom)) { 1 } else { 4 };

/// A lock's hash, the part of its space's number that is the name's, and its key.
type Lock<'a> = (u64, u64, &'a [u8]);

/// What waits for the locks of a shard have come to since somebody has read it.
pub(super) struct Tally {
    accounts: Vec<Account>,
    /// The one that gives way next.
    next: usize,
    /// What was last, for the recorder.
    run: Option<Run>,
}

impl Tally {
    pub(super) const fn new() -> Self {
        Self {
            accounts: Vec::new(),
            next: 0,
            run: None,
        }
    }

    /// Takes everything out, to be written down with the mutex free.
    pub(super) fn take(&mut self) -> Vec<Account> {
        mem::take(&mut self.accounts)
    }

    /// Takes the sums out of the bill of a lock. Gives the account that had to give way.
    fn add(&mut self, (hash, space, text): Lock<'_>, bill: &mut Bill) -> Option<Account> {
        let mut all = self.accounts.iter_mut();
        if let Some(account) = all.find(|account| account.has_room_for(hash, space)) {
            account.add(&mut bill.sums);
            return None;
        }
        let account = Account::new(hash, space, Key::from_utf8(text), &mut bill.sums);
        if self.accounts.len() < MOST {
            self.accounts.push(account);
            return None;
        }
        let place = self.next % MOST;
        self.next = place + 1;
        Some(mem::replace(&mut self.accounts[place], account))
    }

    /// Takes what is over out of the bill of a lock.
    pub(super) fn keep(&mut self, (hash, space, text): Lock<'_>, bill: &mut Bill) {
        if bill.over.is_empty() {
            return;
        }
        let is_same = |run: &Run| (run.hash, run.space) == (hash, space);
        if !self.run.as_ref().is_some_and(is_same) {
            self.hand_on();
        }
        let run = self.run.get_or_insert_with(|| Run {
            hash,
            space,
            key: kept_key(text),
            over: Vec::new(),
        });
        run.over.extend_from_slice(&bill.over);
        if run.over.len() >= Run::LENGTH {
            let next = Run {
                key: Arc::clone(&run.key),
                over: Vec::new(),
                ..*run
            };
            let room = Run::LENGTH + bill.over.len();
            let memory = recorder::are_over(mem::replace(run, next));
            let memory = memory.filter(|memory| memory.capacity() >= room);
            run.over = memory.unwrap_or_else(|| Vec::with_capacity(room));
        }
        bill.over.clear();
    }

    /// Hands on to the recorder what is kept for it.
    pub(super) fn hand_on(&mut self) {
        let run = self.run.take().filter(|run| !run.over.is_empty());
        if let Some(mut run) = run {
            run.over.shrink_to_fit();
            recorder::are_over(run);
        }
    }
}

/// What is to be done about a bill with the mutex free. Declared before it is locked, as
/// [`Wakers`](super::wakers::Wakers) are and before those, so that it is done when all have been called.
#[derive(Default)]
pub(super) struct Charges {
    account: Option<Box<Account>>,
    /// What the facade is told, of which space.
    #[cfg(feature = "metrics")]
    told: Option<Box<(u64, Told)>>,
}

impl Charges {
    /// Of an entry of which a hold or a wait has ended, by its hash, if nobody waits any more: it may be about to
    /// go. Else as far as there is no room for more.
    #[inline]
    pub(super) fn take(&mut self, hash: u64, entry: &mut Entry, tally: &mut Tally) {
        if entry.is_blamed() {
            self.take_bill(hash, entry, tally);
        }
    }

    #[inline(never)]
    fn take_bill(&mut self, hash: u64, entry: &mut Entry, tally: &mut Tally) {
        let (space, is_last) = (name_part(entry.space), entry.first_waiter().is_none());
        let Some((text, bill)) = entry.bill() else {
            return;
        };
        if is_last || bill.sums.are_full() {
            self.take_all(hash, entry, tally);
        } else if bill.is_run() {
            tally.keep((hash, space, text), bill);
        }
    }

    /// All that there is of an entry, by its hash.
    #[cold]
    pub(super) fn take_all(&mut self, hash: u64, entry: &mut Entry, tally: &mut Tally) {
        let space = name_part(entry.space);
        let Some((text, bill)) = entry.bill() else {
            return;
        };
        tally.keep((hash, space, text), bill);
        if !bill.sums.is_empty() {
            self.account = tally.add((hash, space, text), bill).map(Box::new);
        }
    }

    /// Of an entry of which a wait has ended, for the facade; or of `all` waits, so far.
    #[cfg(feature = "metrics")]
    pub(super) fn tell(&mut self, entry: &mut Entry, all: bool) {
        let space = name_part(entry.space);
        if let Some((_, Bill { told, .. })) = entry.bill() {
            if told.is_due() || all && !told.is_empty() {
                self.told = Some(Box::new((space, mem::take(told))));
            }
        }
    }

    #[cfg(not(feature = "metrics"))]
    #[expect(clippy::unused_self, reason = "the other one uses it")]
    #[inline]
    pub(super) const fn tell(&mut self, _entry: &mut Entry, _all: bool) {}
}

impl Drop for Charges {
    #[inline]
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        if let Some(told) = self.told.take() {
            let (space, told) = *told;
            told.tell(space);
        }
        if let Some(account) = self.account.take() {
            costs::post(&account);
        }
    }
}
