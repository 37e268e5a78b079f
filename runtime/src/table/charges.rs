//! What waits have come to, between an entry and [`costs`].
//!
//! Of the last few locks of a shard that were waited for there are [`Sums`], under the shard's mutex: a [`Tally`].
//! A lock that many wait for, or that is waited for again and again, is nearly always among them. So a wait that
//! ends is a few additions, and locks nothing more.

use super::entry::Entry;
use super::identity::name_part;
use crate::costs::{self, Bill, Sums};
use crate::key::Key;
use std::mem;

/// Of so many locks of a shard there are sums. In a model one has to give way to the other.
const MOST: usize = if cfg!(all(test, loom)) { 1 } else { 4 };

/// What waits for the locks of a shard have come to since somebody has read it.
pub(super) struct Tally {
    sums: Vec<Sums>,
    /// The one that gives way next.
    next: usize,
}

impl Tally {
    pub(super) const fn new() -> Self {
        Self {
            sums: Vec::new(),
            next: 0,
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
}

/// What is to be done about a bill with the mutex free. Declared before it is locked, as
/// [`Wakers`](super::entry::Wakers) are and before those, so that it is done when all have been called.
#[derive(Default)]
pub(super) struct Charges {
    sums: Option<Box<Sums>>,
    told: Option<Box<Told>>,
}

/// A bill that is told.
struct Told {
    hash: u64,
    space: u64,
    key: Key,
    bill: Bill,
}

impl Charges {
    /// Of the entry of this hash.
    #[inline]
    pub(super) fn take(&mut self, hash: u64, entry: &mut Entry, tally: &mut Tally) {
        if entry.is_blamed() {
            self.take_bill(hash, entry, tally);
        }
    }

    #[cold]
    fn take_bill(&mut self, hash: u64, entry: &mut Entry, tally: &mut Tally) {
        let space = name_part(entry.space);
        let Some((text, bill)) = entry.bill() else {
            return;
        };
        self.sums = tally.add(hash, space, text, bill).map(Box::new);
        if bill.is_told() {
            let (key, bill) = (Key::from_utf8(text), mem::take(bill));
            self.told = Some(Box::new(Told {
                hash,
                space,
                key,
                bill,
            }));
        } else {
            bill.clear();
        }
    }
}

impl Drop for Charges {
    #[inline]
    fn drop(&mut self) {
        if self.sums.is_some() || self.told.is_some() {
            self.post();
        }
    }
}

impl Charges {
    #[cold]
    fn post(&mut self) {
        if let Some(sums) = self.sums.take() {
            costs::post(&sums);
        }
        if let Some(told) = self.told.take() {
            let Told {
                hash,
                space,
                key,
                bill,
            } = *told;
            bill.tell(hash, space, &key);
        }
    }
}
