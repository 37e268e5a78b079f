//! Where those write themselves down who join a thin hold.
//!
//! A bucket has a few slots, apart from it: so a bucket stays small, and what nobody joins costs no
//! memory. The bucket's word says which of them are taken. Who has made its bit say so writes down the
//! site and then the owner. Whoever inflates the bucket waits for the owner of each slot that is
//! taken, which is not far. Where the bit isn't set, or the bucket is free, there is no owner.

use super::place::SLOTS;
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::sync::{AtomicU64, Ordering, UnsafeCell, spin};

/// In place of an owner: nobody has written down one.
const NONE: u64 = 0;

/// In place of an owner: it was another lock than that which was to be joined. No thread's number comes
/// so far, and what is a task's is above it.
const NO_HOLDER: u64 = 1 << 62;

/// Those of one bucket.
#[repr(align(128))]
pub(crate) struct Slots(pub(super) [Slot; SLOTS]);

pub(crate) struct Slot {
    /// See the head of this file.
    owner: AtomicU64,
    site: UnsafeCell<Option<Site>>,
}

// SAFETY: the site is the only part that isn't `Sync` by itself. It is written by who has set the bit
// in the bucket's word, before the owner, and read by who has seen the owner, and by then the bucket
// inflated. The bit is set again by who has seen that it was cleared, or that the bucket was free, which
// is after the one and the other.
#[expect(unsafe_code, reason = "as above")]
unsafe impl Sync for Slot {}

impl Slots {
    #[cfg(not(all(test, loom)))]
    pub(crate) const fn new() -> Self {
        Self([const { Slot::new() }; SLOTS])
    }

    #[cfg(all(test, loom))]
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Slot::new()))
    }

    /// Makes them as they were before the bucket was inflated, for who makes it free.
    pub(super) fn clear(&self) {
        for slot in &self.0 {
            // Relaxed, as it is for who takes the bucket afterwards.
            slot.owner.store(NONE, Ordering::Relaxed);
        }
    }
}

impl Slot {
    #[cfg(not(all(test, loom)))]
    const fn new() -> Self {
        Self {
            owner: AtomicU64::new(NONE),
            site: UnsafeCell::new(None),
        }
    }

    #[cfg(all(test, loom))]
    fn new() -> Self {
        Self {
            owner: AtomicU64::new(NONE),
            site: UnsafeCell::new(None),
        }
    }

    /// Writes down who has the slot, and is a holder.
    pub(super) fn fill(&self, Record { owner, site }: Record) {
        self.site.with_mut(|place| {
            // SAFETY: the caller has the slot and nobody reads before the owner is there, see the `Sync`
            // of `Slot`.
            #[expect(unsafe_code, reason = "plain memory")]
            unsafe {
                *place = Some(site);
            }
        });
        // Release pairs with the acquire in `read`: the site is written.
        self.owner.store(owner.word(), Ordering::Release);
    }

    /// Writes down that who has the slot is no holder.
    pub(super) fn fill_in_vain(&self) {
        // Release pairs with the acquire in `read`: the caller has done with the record.
        self.owner.store(NO_HOLDER, Ordering::Release);
    }

    /// Takes back what was written down, for who is about to give up the slot.
    pub(super) fn empty(&self) -> Emptied<'_> {
        // Relaxed, as only the caller has the slot, and the next one sees it by the bucket's word.
        let owner = self.owner.load(Ordering::Relaxed);
        self.owner.store(NONE, Ordering::Relaxed);
        Emptied { slot: self, owner }
    }

    /// Who has the slot, if it is a holder. For who has inflated the bucket.
    pub(super) fn read(&self) -> Option<Record> {
        // Acquire pairs with the release in `fill` and its like.
        let owner =
            spin(|| Some(self.owner.load(Ordering::Acquire)).filter(|owner| *owner != NONE));
        if owner == NO_HOLDER {
            return None;
        }
        let site = self.site.with(|place| {
            // SAFETY: the owner is there, and the bucket inflated, so nobody writes, see the `Sync` of
            // `Slot`.
            #[expect(unsafe_code, reason = "plain memory")]
            unsafe {
                *place
            }
        });
        let (owner, site) = (Owner::of_word(owner), site.expect("it is before the owner"));
        Some(Record { owner, site })
    }
}

/// A slot whose holder was about to give it up.
pub(super) struct Emptied<'a> {
    slot: &'a Slot,
    owner: u64,
}

impl Emptied<'_> {
    /// Writes the same down once more, since the bucket was inflated, by somebody who may wait for it.
    pub(super) fn fill_again(self) {
        // Release, as in `fill`.
        self.slot.owner.store(self.owner, Ordering::Release);
    }
}
