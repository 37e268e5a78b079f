//! The fast path: a lock that nobody waits for, held by one or by a few together.
//!
//! A key's hash picks a bucket. While at most one lock of a bucket is held, and
//! nobody waits, the bucket's [`word`] is all there is of that lock: taking it is one
//! compare-exchange and some plain stores that say which thread or task holds which key, and releasing it
//! another compare-exchange. Where it is shared, or has several permits, others join it: each takes a bit
//! of the word and the [`slot`](super::slot) of that bit, and so does a thread that goes in again. Everything
//! else (a second key, a waiter, more than there are slots, somebody who
//! wants to know) first *inflates* the bucket: it turns what the holders wrote down
//! into an [`Entry`](super::entry::Entry), and from then on the mutex of the
//! bucket's shard rules, until the bucket's last entry is gone, or [ajar](super::ajar). A lock that is shared, or has several permits, may
//! always have some holder, so it is made thin again [before](Bucket::deflate).
//!
//! A holder whose text is on the heap, and one beside others, fails to release by one exchange, and then
//! [looks](Bucket::release_slot) what is left: so the others need no look.
//!
//! `try_take` makes the word thin and then writes the record; `reserve` may end that state,
//! with the mutex, and then reads the record; and so does who joins. `complete` goes between them:
//!
//! 1. Where the word is 0, the record is not complete. So the next holder finds it so, and
//!    who reads can't take the record of an earlier hold for that of this one.
//! 2. Who took it first completes it, and takes that back just before it releases, as does who is the last
//!    to release. Where that
//!    fails, since somebody has joined or the bucket was inflated meanwhile, it completes it again: they
//!    may be waiting for that.
//!    An entry that was made without a thin hold, but may be thin later, has it complete from the first.
//! 3. Nobody writes to the record unless it has made the word thin, or is about to make it thin again, with the
//!    mutex: else, while somebody is there, and where the word is [`ENTRY`] × n, it stays as it is.
//! 4. Only a thread writes its number as the owner, as the first thing of a hold. So one that finds the
//!    record of an exclusive hold complete, and itself the owner, is the holder: of an earlier hold of its
//!    own it has taken `complete` back itself, or knows by the word that somebody else has.
//! 5. A text on the heap is freed by who ends the thin hold: the holder, or the `reserve` that
//!    makes it an entry, whose text it becomes. Nobody reads it from the record afterwards.
//! 6. Who joins first takes a bit of the word, and so keeps the record as it is, and then compares it.
//!    If it is another lock's, of the same hash, it goes again. So it is never inside of that
//!    lock, but may have been the last to leave it.

use super::moment::Since;
use super::occupant::Occupant;
use super::record::{Kind, ThinRecord, free, long};
use super::slot::Slots;
use super::word::{self, ENTRY, FIRST, FREE, SHORT, STATES, is_thin};
use crate::key::Key;
use crate::key::uuid::UuidText;
use crate::owner::Owner;
use crate::site::Record;
use crate::sync::{AtomicBool, AtomicU64, Ordering, UnsafeCell, spin, spin_briefly};
use crate::table::place::{SLOTS, Ticket};
use crate::table::policy::Mode;

/// Enough that keys in use at one time rarely meet.
pub(crate) const BUCKETS: usize = if cfg!(all(test, loom)) { 4 } else { 4096 };

/// From so many entries on the table of a bucket's shard is most likely in no cache.
const MANY: u64 = 4;

/// Which bucket a hash is in.
#[expect(
    clippy::cast_possible_truncation,
    reason = "no more than the lowest bits are looked at"
)]
#[inline]
pub(crate) const fn index(hash: u64) -> usize {
    hash as usize % BUCKETS
}

/// Aligned so that two buckets never share a cache line, nor a pair of lines that
/// the processor fetches together. The record comes first: where its text is takes no addition.
#[repr(C, align(128))]
pub(crate) struct Bucket {
    record: UnsafeCell<ThinRecord>,
    /// See [`word`].
    word: AtomicU64,
    /// Whether the record is that of the present hold, and all of it.
    complete: AtomicBool,
    /// Whether there is something in the slots. For who has the shard's mutex.
    is_joined: AtomicBool,
    /// The hash of the lock that is [ajar](super::ajar), or 0. For who has the shard's mutex.
    ajar: AtomicU64,
    /// Who took the present hold first. Not in the record, since a thread looks whether it is that.
    owner: AtomicU64,
}

/// What the holders of a thin lock have written down.
pub(crate) struct Written {
    pub(crate) space: u64,
    pub(crate) key: Key,
    /// Some, or none if there was only who had taken it for another lock.
    pub(crate) holders: [Option<(Ticket, Occupant)>; 1 + SLOTS],
    pub(crate) mode: Mode,
    pub(crate) permits: u32,
}

/// Who may hold a lock that is held thin already.
pub(crate) struct Joiner<'a> {
    pub(crate) hash: u64,
    pub(crate) space: u64,
    pub(crate) text: &'a [u8],
    pub(crate) kind: Kind,
    /// Whether it is to go in again, if it is a thread that holds it.
    pub(crate) reenters: bool,
    pub(crate) record: Record,
}

// SAFETY: the record is the only part that isn't `Sync` by itself; the box that may be in it is one
// of bytes, which any thread may free. It is written by `try_take`, which made the word thin, before it
// sets `complete`; and by `deflate`, before it makes the word thin, when whoever has read the record is done
// with it: all of them had the mutex, or a slot, for which `reserve` has waited. It is read by `reserve`, which
// inflated the bucket after that, or by that holder, with the shard's mutex; and by who has joined; each after
// seeing that the word was thin, and `complete`. By invariant 1 that is of the same hold, and by invariant 3 nobody
// writes until the word has been 0 again. Each of these steps happens before the next, see the orderings below.
#[expect(unsafe_code, reason = "as above")]
unsafe impl Sync for Bucket {}

impl Bucket {
    #[cfg(not(all(test, loom)))]
    pub(crate) const fn new() -> Self {
        Self {
            word: AtomicU64::new(FREE),
            complete: AtomicBool::new(false),
            is_joined: AtomicBool::new(false),
            ajar: AtomicU64::new(0),
            owner: AtomicU64::new(0),
            record: UnsafeCell::new(ThinRecord::EMPTY),
        }
    }

    #[cfg(all(test, loom))]
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(FREE),
            complete: AtomicBool::new(false),
            is_joined: AtomicBool::new(false),
            ajar: AtomicU64::new(0),
            owner: AtomicU64::new(0),
            record: UnsafeCell::new(ThinRecord::EMPTY),
        }
    }

    /// Takes a lock of a bucket in which none is held or awaited, so that there is room for a hold
    /// of every kind. The word is that of the kind and the hash. The key's text is at most
    /// [`TEXT`](super::record::TEXT) bytes long.
    #[inline]
    pub(crate) fn try_take(
        &self,
        word: u64,
        space: u64,
        text: &[u8],
        kind: Kind,
        record: Record,
    ) -> bool {
        self.try_take_as(word, record.owner, |place| {
            place.space = space;
            place.site = Some(record.site);
            place.write_short(kind, text);
        })
    }

    /// The same for a UUID, exclusively.
    #[inline]
    pub(crate) fn try_take_uuid(
        &self,
        word: u64,
        space: u64,
        text: UuidText,
        record: Record,
    ) -> bool {
        self.try_take_as(word, record.owner, |place| {
            place.space = space;
            place.site = Some(record.site);
            place.write_uuid(text);
        })
    }

    /// The same with a text of any length, of which it keeps a copy on the heap. Gives the word of the
    /// hold.
    pub(crate) fn try_take_long(
        &self,
        word: u64,
        space: u64,
        text: &[u8],
        kind: Kind,
        record: Record,
    ) -> Option<u64> {
        if !self.is_free() {
            return None;
        }
        // Before it is taken: an allocator is foreign code, which may not be in the way of who reads.
        let text = long(text);
        let word = word & !SHORT;
        let is_taken = self.try_take_as(word, record.owner, |place| {
            place.space = space;
            place.site = Some(record.site);
            place.write_long(kind, text);
        });
        if !is_taken {
            free(text);
        }
        is_taken.then_some(word)
    }

    /// Makes the word this one, and writes the record.
    #[expect(clippy::inline_always, reason = "the fast path is to call nothing")]
    #[inline(always)]
    fn try_take_as(&self, word: u64, owner: Owner, write: impl FnOnce(&mut ThinRecord)) -> bool {
        // Acquire pairs with the release in `release` and `unreserve`: what was done
        // under the lock before is done, and so is all that was done with the record. It has
        // to be one read-modify-write, as it is what `reserve` reads of a thin hold: so that
        // one sees as well what was released before, and no `complete` of an earlier hold.
        if self
            .word
            .compare_exchange(FREE, word, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        // Invariant 1. Relaxed, as above.
        #[cfg(all(test, loom))]
        assert!(!self.complete.load(Ordering::Relaxed));
        // Relaxed, as it is for who sees that the record is complete.
        self.owner.store(owner.word(), Ordering::Relaxed);
        self.record.with_mut(|place| {
            // SAFETY: this made the word thin, so nobody else reads or writes the record until
            // it is complete, see the `Sync` of `Bucket`.
            #[expect(unsafe_code, reason = "the record is plain memory")]
            write(unsafe { &mut *place });
        });
        // Release pairs with the acquire in `with_record`: all of the record is written.
        self.complete.store(true, Ordering::Release);
        true
    }

    /// Ends a thin hold, of which this is the word, [by an exchange](word::has_exchange). False if somebody else
    /// has come in, or the bucket has been inflated meanwhile.
    #[inline]
    pub(crate) fn release(&self, word: u64) -> bool {
        // Relaxed, as it is for the next holder, who sees it by the release below.
        self.complete.store(false, Ordering::Relaxed);
        // Release pairs with the acquire in `try_take` and `reserve`: what was done
        // under the lock is done, and the record isn't complete.
        let released = self
            .word
            .compare_exchange(word, FREE, Ordering::Release, Ordering::Relaxed)
            .is_ok();
        if !released {
            // Release, as in `try_take`; by invariant 2.
            self.complete.store(true, Ordering::Release);
        }
        released
    }

    /// The same of a hold that was taken exclusively, with a short text, whatever the hash is.
    #[inline]
    pub(crate) fn release_first(&self) -> bool {
        // While it is thin, and held exclusively once, nobody else changes the word, so no ordering is
        // needed to see it.
        let word = self.word.load(Ordering::Relaxed);
        word & STATES == STATES && self.release(word)
    }

    /// Joins those who hold this lock thin, with a short text; or goes in again, if the calling thread holds it
    /// so alone. Gives the word of the hold.
    pub(crate) fn try_join(&self, slots: &Slots, joiner: &Joiner<'_>) -> Option<u64> {
        // Acquire pairs with the release in `unreserve`, for invariant 4: the thread may have had an
        // earlier hold that became an entry, of which somebody else has taken `complete` back.
        let mut word = self.word.load(Ordering::Acquire);
        let slot = loop {
            let slot = self.slot_for(joiner, word)?;
            let with_slot = word::with_slot(word, slot);
            // Acquire pairs with the release of who had the slot before, and of who had one of the permits.
            match self
                .word
                .compare_exchange(word, with_slot, Ordering::Acquire, Ordering::Acquire)
            {
                Ok(_) => break slot,
                Err(other) => word = other,
            }
        };
        let &Joiner {
            hash, space, text, ..
        } = joiner;
        // Who writes the record may be preempted. To wait for longer takes the shard's mutex, as in `read`.
        let is_complete = spin_briefly(|| self.is_complete().then_some(())).is_some();
        if is_complete && self.look(|place| place.is_of(space, text)) {
            slots.0[slot].fill(joiner.record);
            return Some(word::of_slot(hash, slot));
        }
        if !self.leave(Ticket::of_slot(slot)) {
            slots.0[slot].fill_in_vain();
        }
        None
    }

    /// A free slot of the bucket, if this is its word and the joiner has room there.
    fn slot_for(&self, joiner: &Joiner<'_>, word: u64) -> Option<usize> {
        let &Joiner { hash, kind, .. } = joiner;
        if !word::is_of(word, hash) || word & SHORT == 0 {
            return None;
        }
        let has_room = if word::is_joint(word) {
            kind.is_joint() && kind.has_room(word::holders(word))
        } else {
            joiner.reenters && self.is_own(joiner.record.owner)
        };
        has_room.then(|| word::free_slot(word))?
    }

    /// Whether a thread is the holder, if a lock is held thin and exclusively.
    fn is_own(&self, owner: Owner) -> bool {
        // In this order: what is read of the owner is not older.
        owner.is_thread()
            && self.is_complete()
            && self.owner.load(Ordering::Relaxed) == owner.word()
    }

    /// Ends a thin hold that the caller has here, of any kind. False if the bucket has been inflated meanwhile.
    pub(crate) fn release_slot(&self, slots: &Slots, ticket: Ticket) -> bool {
        let emptied = ticket.slot().map(|slot| slots.0[slot].empty());
        if self.leave(ticket) {
            return true;
        }
        if let Some(emptied) = emptied {
            emptied.fill_again();
        }
        false
    }

    /// Takes a hold out of the word. False if the bucket has been inflated.
    fn leave(&self, ticket: Ticket) -> bool {
        loop {
            // Acquire pairs with the release of those who have left before: they have done with `complete`,
            // which the last one takes back.
            let word = self.word.load(Ordering::Acquire);
            if !is_thin(word) {
                return false;
            }
            let rest = word::without(word, ticket);
            let has_left = if word::holders(rest) == 0 {
                self.release_last(word)
            } else {
                // Release pairs with the acquire in `reserve` and `try_join`, and with that above: who finds it
                // gone sees what was done before.
                self.word
                    .compare_exchange(word, rest, Ordering::Release, Ordering::Relaxed)
                    .is_ok()
            };
            if has_left {
                return true;
            }
        }
    }

    /// Makes the bucket free, and its text as well, if this is its word.
    fn release_last(&self, word: u64) -> bool {
        if word & SHORT != 0 {
            return self.release(word);
        }
        // Before it is released: afterwards the record is the next holder's.
        let text = self.record.with(|place| {
            // SAFETY: the caller has written the record, and nobody writes until it has released; a
            // `reserve` that is faster only reads.
            #[expect(unsafe_code, reason = "the record is plain memory")]
            unsafe { &*place }.long_text()
        });
        let released = self.release(word);
        if let (true, Some(text)) = (released, text) {
            free(text);
        }
        released
    }

    /// Whether the lock of the hash is held thin. A hint: by now it may have changed.
    pub(crate) fn is_held_thin(&self, hash: u64) -> bool {
        word::is_of(self.word.load(Ordering::Relaxed), hash)
    }

    /// Inflates the bucket, or keeps it so, until [`Bucket::unreserve`]. Returns
    /// what is to become an entry. The shard's mutex must be locked.
    pub(crate) fn reserve(&self, slots: &Slots) -> Option<Written> {
        let word = self.word.load(Ordering::Relaxed);
        if word != FREE && !is_thin(word) {
            // With the mutex nobody else changes it, and who inflated it has seen what was released.
            self.word.store(word + ENTRY, Ordering::Relaxed);
            return None;
        }
        let inflate = |word| Some(ENTRY + if is_thin(word) { ENTRY } else { word });
        // Acquire pairs with the release in `release` and `unreserve`.
        let word = self
            .word
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, inflate);
        let word = word.expect("a bucket can always be inflated");
        is_thin(word).then(|| self.read(slots, word))
    }

    /// Ends a reservation; without one left, and without an entry, the bucket is
    /// free. The shard's mutex must be locked.
    pub(crate) fn unreserve(&self, slots: &Slots) {
        let word = self.word.load(Ordering::Relaxed) - ENTRY;
        if word == FREE {
            // For invariant 1. If the record was that of a thin hold, its holders have since
            // released, with the mutex, and write here no more.
            self.complete.store(false, Ordering::Relaxed);
            if self.is_joined.load(Ordering::Relaxed) {
                slots.clear(|_| false);
                self.is_joined.store(false, Ordering::Relaxed);
            }
        }
        // Release pairs with the acquire in `try_take`: the entries' last holders
        // have released under the mutex, before this.
        self.word.store(word, Ordering::Release);
    }

    /// Whether it is inflated for nothing but so many entries and reservations. The shard's mutex must be
    /// locked.
    pub(crate) fn is_inflated_for(&self, count: u64) -> bool {
        self.word.load(Ordering::Relaxed) == ENTRY * count
    }

    /// Gives up the reservation of an entry which is [ajar](super::ajar) from here on, by its hash. The shard's mutex must
    /// be locked.
    pub(crate) fn begin_ajar(&self, slots: &Slots, hash: u64) {
        self.ajar.store(hash, Ordering::Relaxed);
        self.unreserve(slots);
    }

    /// The hash of the lock that was ajar, whose entry has a reservation again; for who has just inflated the bucket. The
    /// shard's mutex must be locked.
    pub(crate) fn end_ajar(&self, slots: &Slots) -> Option<u64> {
        let hash = self.ajar.load(Ordering::Relaxed);
        if hash == 0 {
            return None;
        }
        self.ajar.store(0, Ordering::Relaxed);
        let _inflated_already = self.reserve(slots);
        Some(hash)
    }

    /// Whether there is a lock that is ajar.
    #[cfg(all(test, loom))]
    pub(crate) fn is_ajar(&self) -> bool {
        self.ajar.load(Ordering::Relaxed) != 0
    }

    /// Whether there are many entries of it. A hint, as [`Bucket::is_free`].
    pub(crate) fn is_crowded(&self) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        !is_thin(word) && word >= MANY * ENTRY
    }

    /// Has the record count as complete, for an entry that is to be [thin](Self::deflate) one day and wasn't before.
    /// Now, when nobody is about to take that back: the bucket is inflated for the caller alone. The shard's mutex must
    /// be locked.
    pub(crate) fn begin_joint(&self) {
        // Release pairs with the acquire in `is_complete`: whose the owner was that is found there is no news.
        self.complete.store(true, Ordering::Release);
    }

    /// Writes down who has a slot of an entry's, before it is told that it has it. The shard's mutex must be
    /// locked.
    pub(crate) fn fill(&self, slots: &Slots, slot: usize, record: Record) {
        slots.0[slot].fill(record);
        self.is_joined.store(true, Ordering::Relaxed);
    }

    /// Clears the owner of a hold that has an entry, for the holder itself. The shard's mutex must be locked.
    pub(crate) fn disown(&self, slots: &Slots, ticket: Ticket) {
        match ticket.slot() {
            Some(slot) => slots.0[slot].disown(),
            // Relaxed, as in `try_take`.
            None => self.owner.store(Owner::UNKNOWN.word(), Ordering::Relaxed),
        }
    }

    /// Makes a lock thin that was an entry, which is to be removed, with all reservations: one with a short text
    /// that others may join, all of whose holders have tickets of the bucket. The word is that of them, and it is
    /// known since when they have had it. The shard's mutex must be locked.
    ///
    /// Each of them may be about to release, and find the word thin or not: what it has written down stays as it
    /// is, but for what others write there with the mutex only.
    pub(crate) fn deflate(
        &self,
        slots: &Slots,
        word: u64,
        (space, text): (u64, &[u8]),
        kind: Kind,
        holders: impl Iterator<Item = (Ticket, Since)>,
    ) {
        slots.clear(|slot| word::is_taken(word, slot));
        let has_first = word & FIRST != 0;
        self.record.with_mut(|place| {
            // SAFETY: the shard's mutex is locked and the bucket inflated, see the `Sync` of `Bucket`.
            #[expect(unsafe_code, reason = "the record is plain memory")]
            let place = unsafe { &mut *place };
            if !has_first {
                place.space = space;
                place.write_short(kind, text);
            }
            for (ticket, since) in holders {
                if since == Since::UNKNOWN {
                    continue;
                }
                match ticket.slot() {
                    Some(slot) => slots.0[slot].keep(since),
                    None => place.keep(since),
                }
            }
        });
        // It is complete, or will be again, by invariant 2: a holder that was thin may be about to take that back, and
        // to find the word as it was. So that isn't to be written here. Where none was, it is by `begin_joint`.
        // Release pairs with the acquire in `try_join`, `leave` and `reserve`, and in `try_take` by way of who
        // releases last: the record and the slots are written, and all that was released is done.
        self.word.store(word, Ordering::Release);
    }

    /// Whether no lock is held or awaited. A hint: by now it may have changed.
    pub(crate) fn is_free(&self) -> bool {
        self.word.load(Ordering::Relaxed) == FREE
    }

    /// What the holders of the thin lock that has become an entry have written down, of which this was
    /// the word. For who has just made it one.
    fn read(&self, slots: &Slots, word: u64) -> Written {
        let mut holders = [None; 1 + SLOTS];
        if word & FIRST != 0 {
            let site = self.with_record(|place| place.site.expect("a complete record is there"));
            // Relaxed: by invariant 4 it is older than the rest of the record.
            let owner = Owner::of_word(self.owner.load(Ordering::Relaxed));
            let (record, since) = (Record { owner, site }, self.look(ThinRecord::since));
            holders[0] = Some((Ticket::FIRST, Occupant { record, since }));
        }
        for (slot, place) in slots.0.iter().enumerate() {
            if word::is_taken(word, slot) {
                self.is_joined.store(true, Ordering::Relaxed);
                let holder = place.read();
                holders[slot + 1] = holder.map(|holder| (Ticket::of_slot(slot), holder));
            }
        }
        self.with_record(|place| Written {
            space: place.space,
            key: place.key(),
            holders,
            mode: place.kind().mode(),
            permits: place.kind().permits(),
        })
    }

    /// The name of the lock of a thin hold that has become an entry, and whose text is short. For its
    /// holder.
    pub(crate) fn name(&self) -> (u64, Key) {
        self.with_record(|place| (place.space, place.key()))
    }

    /// Waits for who writes the record to finish, which takes it a few instructions. The shard's mutex must be
    /// locked, and the hold has become an entry.
    fn with_record<R>(&self, look: impl FnOnce(&ThinRecord) -> R) -> R {
        spin(|| self.is_complete().then_some(()));
        self.look(look)
    }

    fn is_complete(&self) -> bool {
        // Acquire pairs with the release in `try_take` and `release`.
        self.complete.load(Ordering::Acquire)
    }

    /// Reads the record, which the caller has seen complete: since it has a slot, or since it has the shard's mutex
    /// and the hold has become an entry.
    fn look<R>(&self, look: impl FnOnce(&ThinRecord) -> R) -> R {
        self.record.with(|place| {
            // SAFETY: the record is complete, and the word is thin for as long as the caller has a slot, or
            // it is inflated by now for as long as the hold has an entry, so nobody writes to it until the word has
            // been 0 again, see the `Sync` of `Bucket`.
            #[expect(unsafe_code, reason = "the record is plain memory")]
            look(unsafe { &*place })
        })
    }
}

#[cfg(all(target_pointer_width = "64", not(all(test, loom))))]
const _: () = assert!(size_of::<Bucket>() == 128);

#[cfg(all(test, not(loom)))]
mod tests;
