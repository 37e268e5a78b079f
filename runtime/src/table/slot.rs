//! Where those write themselves down who join a thin hold.
//!
//! A bucket has a few slots, apart from it: so a bucket stays small, and what nobody joins costs no
//! memory. The bucket's word says which of them are taken. Who has made its bit say so writes down the
//! site and then the owner. Whoever inflates the bucket waits for the owner of each slot that is
//! taken, which is not far. Where the bit isn't set, or the bucket is free, there is no owner.
//!
//! A lock that has become an entry may be thin again with holders left. So who joins them meanwhile, with the
//! shard's mutex, has a slot as well, and writes itself down there; and whoever makes the bucket thin writes
//! down since when the holds have lasted, as far as that is known.

use super::moment::Since;
use super::occupant::Occupant;
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

/// Aligned so that it is in one cache line.
#[repr(align(32))]
pub(crate) struct Slot {
    /// See the head of this file.
    owner: AtomicU64,
    site: UnsafeCell<Option<(Site, Since)>>,
}

// SAFETY: the site is the only part that isn't `Sync` by itself. It is written by who has set the bit
// in the bucket's word, before the owner, and read by who has seen the owner, and by then the bucket
// inflated. The bit is set again by who has seen that it was cleared, or that the bucket was free, which
// is after the one and the other. Where the bucket is inflated it is read and written with the shard's mutex
// only: what is written is seen by who finds the bucket thin afterwards.
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

    /// Makes those as they were before the bucket was inflated that nobody `has`, for who makes it free or
    /// thin.
    pub(super) fn clear(&self, has: impl Fn(usize) -> bool) {
        for (nth, slot) in self.0.iter().enumerate() {
            if !has(nth) {
                // Relaxed, as it is for who takes the bucket or joins afterwards.
                slot.owner.store(NONE, Ordering::Relaxed);
            }
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
                *place = Some((site, Since::UNKNOWN));
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

    /// Writes down since when the hold has lasted, for who is about to make the bucket thin.
    pub(super) fn keep(&self, since: Since) {
        self.site.with_mut(|place| {
            // SAFETY: the caller has the shard's mutex, and the bucket is inflated, see the `Sync` of `Slot`.
            #[expect(unsafe_code, reason = "plain memory")]
            if let Some((_, kept)) = unsafe { &mut *place } {
                *kept = since;
            }
        });
    }

    /// Clears the owner, for the holder itself. The shard's mutex must be locked.
    pub(super) fn disown(&self) {
        // Relaxed, as it is for who has the mutex afterwards.
        self.owner.store(Owner::UNKNOWN.word(), Ordering::Relaxed);
    }

    /// Who has the slot, if it is a holder. For who has inflated the bucket.
    pub(super) fn read(&self) -> Option<Occupant> {
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
        let (site, since) = site.expect("it is before the owner");
        let owner = Owner::of_word(owner);
        let record = Record { owner, site };
        Some(Occupant { record, since })
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
