//! What waits have come to, between an entry and [`costs`].
//!
//! Of the last few locks of a shard that were waited for there are [`Sums`], under the shard's mutex: a [`Tally`].
//! A lock that many wait for, or that is waited for again and again, is nearly always among them. So a wait that
//! ends is a few additions, and locks nothing more. What the [recorder](crate::timeline::recorder) is to have of a lock
//! goes to it some at a time, or when another lock of the shard comes, or when somebody reads: with the shard's
//! mutex, so that who has looked at the shard has all that was over by then.

use super::entry::Entry;
use super::identity::name_part;
use crate::costs::{self, Bill, Sums};
use crate::key::Key;
use crate::timeline::recorder;
use crate::timeline::rows::{Over, Run, kept_key};
use std::mem;
use std::sync::Arc;

/// Of so many locks of a shard there are sums. In a model one has to give way to the other.
const MOST: usize = if cfg!(all(test, loom)) { 1 } else { 4 };

/// The recorder gets so many holds and waits at a time, or some more.
const RUN: usize = if cfg!(all(test, loom)) { 4 } else { 16 };

/// What waits for the locks of a shard have come to since somebody has read it.
pub(super) struct Tally {
    sums: Vec<Sums>,
    /// The one that gives way next.
    next: usize,
    /// What was last, for the recorder.
    run: Option<Run>,
}

impl Tally {
    pub(super) const fn new() -> Self {
        Self {
            sums: Vec::new(),
            next: 0,
            run: None,
        }
    }

    /// Takes everything out, to be written down with the mutex free.
    pub(super) fn take(&mut self) -> Vec<Sums> {
        mem::take(&mut self.sums)
    }

    /// Adds a bill. Gives the sums that had to give way.
    fn add(&mut self, hash: u64, space: u64, text: &[u8], bill: &Bill) -> Option<Sums> {
        let mut all = self.sums.iter_mut();
        if let Some(sums) = all.find(|sums| sums.have_room_for(hash, space)) {
            sums.add(bill);
            return None;
        }
        let sums = Sums::of(hash, space, &Key::from_utf8(text), bill);
        if self.sums.len() < MOST {
            self.sums.push(sums);
            return None;
        }
        let place = self.next % MOST;
        self.next = place + 1;
        Some(mem::replace(&mut self.sums[place], sums))
    }

    /// Keeps holds and waits of a lock that are over.
    fn keep(&mut self, hash: u64, space: u64, text: &[u8], over: &[Over]) {
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
        run.over.extend_from_slice(over);
        if run.over.len() >= RUN {
            let next = Run {
                key: Arc::clone(&run.key),
                over: Vec::new(),
                ..*run
            };
            let room = RUN + over.len();
            let memory = recorder::are_over(mem::replace(run, next));
            let memory = memory.filter(|memory| memory.capacity() >= room);
            run.over = memory.unwrap_or_else(|| Vec::with_capacity(room));
        }
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
/// [`Wakers`](super::entry::Wakers) are and before those, so that it is done when all have been called.
#[derive(Default)]
pub(super) struct Charges {
    sums: Option<Box<Sums>>,
    /// What the facade is told, of which space.
    #[cfg(feature = "metrics")]
    told: Option<Box<(u64, Bill)>>,
}

impl Charges {
    /// Of the entry of this hash, if a wait is over.
    #[inline]
    pub(super) fn take(&mut self, hash: u64, entry: &mut Entry, tally: &mut Tally) {
        if entry.is_blamed() {
            self.take_bill(hash, entry, tally, Bill::is_due);
        }
    }

    /// The same, of waits that go on, too.
    pub(super) fn take_all(&mut self, hash: u64, entry: &mut Entry, tally: &mut Tally) {
        self.take_bill(hash, entry, tally, |bill| !bill.is_empty());
    }

    #[cold]
    fn take_bill(
        &mut self,
        hash: u64,
        entry: &mut Entry,
        tally: &mut Tally,
        is_taken: impl FnOnce(&Bill) -> bool,
    ) {
        let space = name_part(entry.space);
        let Some((text, bill)) = entry.bill().filter(|(_, bill)| is_taken(bill)) else {
            return;
        };
        self.sums = tally.add(hash, space, text, bill).map(Box::new);
        if !bill.over.is_empty() {
            tally.keep(hash, space, text, &bill.over);
        }
        #[cfg(feature = "metrics")]
        {
            self.told = Some(Box::new((space, mem::take(bill))));
        }
        #[cfg(not(feature = "metrics"))]
        bill.clear();
    }
}

impl Drop for Charges {
    #[inline]
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        if let Some(told) = self.told.take() {
            let (space, bill) = *told;
            bill.tell(space);
        }
        if let Some(sums) = self.sums.take() {
            costs::post(&sums);
        }
    }
}
