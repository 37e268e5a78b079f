//! The fast path: a lock that one holder has and nobody else asks for. It may hold it shared, or
//! have one of several permits: whoever joins it finds an entry.
//!
//! A key's hash picks a bucket. While at most one lock of a bucket is held, and
//! nobody waits, the bucket's word is all there is of that lock: taking it is one
//! compare-exchange and some plain stores that say which thread or task holds which key, and releasing it
//! another compare-exchange. Everything else (a second key, a waiter, somebody who
//! wants to know) first *inflates* the bucket: it turns what the holder wrote down
//! into an [`Entry`](super::entry::Entry), and from then on the mutex of the
//! bucket's shard rules, until the bucket's last entry is gone.
//!
//! | word | state | who may change it |
//! |---|---|---|
//! | 0 | free | anybody, to its hash; with the shard's mutex, to 2 |
//! | hash, the lowest five bits set | thin: the lock of that hash is held, and the record says by whom, once it is complete | the holder, to 0 or as below; with the shard's mutex, to 2 × 2 |
//! | the same without bit 1 | its text is on the heap, since there is no room for it in the record | as above |
//! | the same without bit 3 or 4, or both | the thread that holds it has gone in again, once for each | that thread; with the shard's mutex, to 2 × 2 |
//! | the same without bit 2 as well | ... and has released what it held first | as above |
//! | 2 × n | inflated: n entries and reservations | with the shard's mutex |
//!
//! So who finds the word odd sees whether its own lock is held, or another one. A holder whose text
//! is on the heap, or who has gone in again, fails to release as others do, and then
//! [looks](Bucket::release_slot) which it is: so the others need no look.
//!
//! `try_take` makes the word odd and then writes the record; `reserve` may end that state,
//! with the mutex, and then reads the record. `complete` goes between the two:
//!
//! 1. Where the word is 0, the record is not complete. So the next holder finds it so, and
//!    `read` can't take the record of an earlier hold for that of this one.
//! 2. A thin holder completes it, and takes that back just before it releases. Where the
//!    release fails, since the bucket was inflated meanwhile, it completes it again: the
//!    `reserve` that did so may be waiting for that in `read`.
//! 3. Where the word is 2 × n, nobody writes to the record.
//! 4. Only a thread writes its number as the owner, as the first thing of a hold. So one that finds the
//!    record complete, and itself the owner, is the holder: of an earlier hold of its own it has
//!    taken `complete` back itself, or knows by the word that somebody else has.
//! 5. A text on the heap is freed by who ends the thin hold: the holder, or the `reserve` that
//!    makes it an entry, whose text it becomes. Nobody reads it from the record afterwards.

use crate::key::Key;
use crate::key::text::copy_short;
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::sync::{AtomicBool, AtomicU64, Ordering, UnsafeCell, spin};
use crate::table::place::Ticket;
use crate::table::policy::Mode;

/// Enough that keys in use at one time rarely meet.
pub(crate) const BUCKETS: usize = if cfg!(all(test, loom)) { 4 } else { 4096 };

/// Which bucket a hash is in, by bits that hashbrown doesn't use: it takes the lowest and
/// the top seven.
#[inline]
pub(crate) const fn index(hash: u64) -> usize {
    (hash >> 32) as usize % BUCKETS
}

const FREE: u64 = 0;
const ENTRY: u64 = 2;

/// What a word has more if the text of a thin hold is in the record.
const SHORT: u64 = 1 << 1;
/// What it has more if the hold that was taken first is still there.
const FIRST: u64 = 1 << 2;
/// What it has more if the holder hasn't gone in again, once and twice.
const NOT_AGAIN: [u64; Ticket::AGAIN.len()] = [1 << 3, 1 << 4];

const STATES: u64 = 1 | SHORT | FIRST | NOT_AGAIN[0] | NOT_AGAIN[1];

/// The word of a bucket in which the lock of this hash is held thin, once, and its text is in the
/// record.
#[inline]
const fn thin(hash: u64) -> u64 {
    hash | STATES
}

/// Whether somebody holds the lock of a thin word.
const fn is_held(word: u64) -> bool {
    word & STATES & !SHORT != thin(0) & !SHORT & !FIRST
}

/// The same word without the hold that has this ticket.
fn without(word: u64, ticket: Ticket) -> u64 {
    let mut again = NOT_AGAIN.iter().zip(Ticket::AGAIN);
    match again.find(|(_, again)| *again == ticket) {
        Some((not_again, _)) => word | not_again,
        None => word & !FIRST,
    }
}

const fn is_thin(word: u64) -> bool {
    word % 2 == 1
}

/// Aligned so that two buckets never share a cache line, nor a pair of lines that
/// the processor fetches together. The record comes first: where its text is takes no addition.
#[repr(C, align(128))]
pub(crate) struct Bucket {
    record: UnsafeCell<ThinRecord>,
    /// See the table at the head of this file.
    word: AtomicU64,
    /// Whether the record is that of the present hold, and all of it.
    complete: AtomicBool,
    /// Who has the present hold. Not in the record, since a thread looks whether it is that.
    owner: AtomicU64,
    /// Where the holder has gone in again, as far as the word says that it has.
    again: [UnsafeCell<Option<Site>>; Ticket::AGAIN.len()],
}

/// What a thin holder writes down. Plain memory, see [`Bucket`].
struct ThinRecord {
    space: u64,
    /// `None` until there is a first hold.
    site: Option<Site>,
    /// A [`Kind`], and below it the length of the text, or [`ThinRecord::LONG`].
    kind_and_length: u64,
    text: Text,
}

/// The text of a thin hold.
#[derive(Clone, Copy)]
union Text {
    short: [u8; Bucket::TEXT],
    /// A box that has been taken out of its owner's care, see invariant 5.
    long: *mut [u8],
}

/// How a thin holder holds, and of how many permits one: in a word in which nothing is said of
/// who holds exclusively what has one permit, so that this takes no instruction more.
///
/// | bits | what they say |
/// |---|---|
/// | 0 to 7 | nothing: the length of the text is there |
/// | 8 | whether it holds shared |
/// | 32 to 63 | how many permits there are beside the holder's |
#[derive(Clone, Copy)]
pub(crate) struct Kind(u64);

impl Kind {
    /// Alone.
    pub(crate) const EXCLUSIVE: Self = Self(0);
    const SHARED: u64 = 1 << 8;
    const PERMITS: u32 = 32;

    pub(crate) const fn new(mode: Mode, permits: u32) -> Self {
        let shared = match mode {
            Mode::Exclusive => 0,
            Mode::Shared => Self::SHARED,
        };
        Self(shared | (permits as u64 - 1) << Self::PERMITS)
    }

    const fn mode(self) -> Mode {
        if self.0 & Self::SHARED == 0 {
            Mode::Exclusive
        } else {
            Mode::Shared
        }
    }

    const fn permits(self) -> u32 {
        (self.0 >> Self::PERMITS) as u32 + 1
    }
}

/// What a thin holder has written down.
pub(crate) struct Written {
    pub(crate) space: u64,
    pub(crate) key: Key,
    /// One, or more of the same thread.
    pub(crate) holders: [Option<(Ticket, Record)>; 1 + Ticket::AGAIN.len()],
    pub(crate) mode: Mode,
    pub(crate) permits: u32,
}

// SAFETY: the record is the only part that isn't `Sync` by itself; the box that may be in it is one
// of bytes, which any thread may free. It is written by
// `try_take`, which made the word odd, before it sets `complete`; and read by `reserve`, which made
// it 2 × 2 after that, or by that holder, with the shard's mutex, after seeing `complete`. By
// invariant 1 that is of the same hold, and by invariant 3 nobody writes until the word has been 0 again. Each
// of these steps happens before the next, see the orderings below. What is in `again` is written by
// the holder while the word says that it isn't there, and read after the word has said that it is.
#[expect(unsafe_code, reason = "as above")]
unsafe impl Sync for Bucket {}

impl ThinRecord {
    const EMPTY: Self = Self {
        space: 0,
        site: None,
        kind_and_length: 0,
        text: Text {
            short: [0; Bucket::TEXT],
        },
    };
    /// In place of a length: the text is on the heap.
    const LONG: u8 = u8::MAX;

    /// The text, for the one time that it is read of which invariant 5 speaks.
    fn key(&self) -> Key {
        let [length, ..] = self.kind_and_length.to_le_bytes();
        // SAFETY: the length says which of the texts it is. By invariant 5 that on the heap is the
        // caller's from here on.
        #[expect(unsafe_code, reason = "a union, and a box of which it has the pointer")]
        unsafe {
            match length {
                Self::LONG => Key::from_bytes(Box::from_raw(self.text.long).into()),
                _ => Key::from_utf8(&self.text.short[..usize::from(length)]),
            }
        }
    }
}

impl Bucket {
    /// How long a text a thin holder can write down.
    pub(crate) const TEXT: usize = 64;

    #[cfg(not(all(test, loom)))]
    pub(crate) const fn new() -> Self {
        Self {
            word: AtomicU64::new(FREE),
            complete: AtomicBool::new(false),
            owner: AtomicU64::new(0),
            again: [const { UnsafeCell::new(None) }; Ticket::AGAIN.len()],
            record: UnsafeCell::new(ThinRecord::EMPTY),
        }
    }

    #[cfg(all(test, loom))]
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(FREE),
            complete: AtomicBool::new(false),
            owner: AtomicU64::new(0),
            again: std::array::from_fn(|_| UnsafeCell::new(None)),
            record: UnsafeCell::new(ThinRecord::EMPTY),
        }
    }

    /// Takes a lock of a bucket in which none is held or awaited, so that there is room for a hold
    /// of every kind. The key's text is at most [`Bucket::TEXT`] bytes long.
    #[inline]
    pub(crate) fn try_take(
        &self,
        hash: u64,
        space: u64,
        text: &[u8],
        kind: Kind,
        record: Record,
    ) -> bool {
        self.try_take_as(thin(hash), record.owner, |place| {
            place.space = space;
            place.site = Some(record.site);
            place.kind_and_length = kind.0 | text.len() as u64;
            // SAFETY: bytes are there, of whatever text, and any will do.
            #[expect(unsafe_code, reason = "a union")]
            let short = unsafe { &mut place.text.short };
            copy_short(text, &mut short[..text.len()]);
        })
    }

    /// The same with a text of any length, of which it keeps a copy on the heap.
    pub(crate) fn try_take_long(
        &self,
        hash: u64,
        space: u64,
        text: &[u8],
        kind: Kind,
        record: Record,
    ) -> bool {
        if !self.is_free() {
            return false;
        }
        // Before it is taken: an allocator is foreign code, which may not be in the way of who reads.
        let text = Box::into_raw(Box::<[u8]>::from(text));
        let is_taken = self.try_take_as(thin(hash) & !SHORT, record.owner, |place| {
            place.space = space;
            place.site = Some(record.site);
            place.kind_and_length = kind.0 | u64::from(ThinRecord::LONG);
            place.text.long = text;
        });
        if !is_taken {
            free(text);
        }
        is_taken
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
        // Relaxed, as it is for who sees that the record is complete.
        self.owner.store(owner.word(), Ordering::Relaxed);
        self.record.with_mut(|place| {
            // SAFETY: this made the word odd, so nobody else reads or writes the record until
            // it is complete, see the `Sync` of `Bucket`.
            #[expect(unsafe_code, reason = "the record is plain memory")]
            write(unsafe { &mut *place });
        });
        // Release pairs with the acquire in `read`: all of the record is written.
        self.complete.store(true, Ordering::Release);
        true
    }

    /// Ends a thin hold. False if the bucket has been inflated meanwhile; then the
    /// lock is an entry. False as well if its text is on the heap.
    #[inline]
    pub(crate) fn release(&self, hash: u64) -> bool {
        self.release_as(thin(hash))
    }

    /// The same, whatever the hash is.
    #[inline]
    pub(crate) fn release_first(&self) -> bool {
        // While it is thin nobody else changes the word, so no ordering is needed to see it.
        let word = self.word.load(Ordering::Relaxed);
        word & STATES == STATES && self.release_as(word)
    }

    /// The same, of which the word is this one.
    #[inline]
    fn release_as(&self, word: u64) -> bool {
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

    /// Goes in again if the calling thread, of the record, holds this lock thin, with a short text and
    /// one permit, and not only shared if `mode` is exclusive. Gives the ticket of the hold.
    pub(crate) fn try_reenter(
        &self,
        hash: u64,
        space: u64,
        text: &[u8],
        mode: Mode,
        Record { owner, site }: Record,
    ) -> Option<Ticket> {
        // Acquire pairs with the release in `unreserve`, for invariant 4: the thread may have had an
        // earlier hold that became an entry, of which somebody else has taken `complete` back.
        let word = self.word.load(Ordering::Acquire);
        if word & SHORT == 0 || !(is_thin(word) && word | STATES == thin(hash)) {
            return None;
        }
        // Acquire pairs with the release in `try_take`: what is read of the owner is not older.
        let is_own = owner.is_thread()
            && self.complete.load(Ordering::Acquire)
            && self.owner.load(Ordering::Relaxed) == owner.word();
        if !(is_own && self.is_written(space, text, mode)) {
            return None;
        }
        let slots = NOT_AGAIN.iter().zip(&self.again).zip(Ticket::AGAIN);
        let ((not_again, place), ticket) =
            slots.into_iter().find(|((bit, _), _)| word & **bit != 0)?;
        place.with_mut(|place| {
            // SAFETY: the caller is the holder, and the word says that there is nothing here, so that
            // nobody reads it.
            #[expect(unsafe_code, reason = "plain memory")]
            unsafe {
                *place = Some(site);
            }
        });
        // Release pairs with the acquire in `reserve`: the site is written.
        let gone_in = self.word.compare_exchange(
            word,
            word & !not_again,
            Ordering::Release,
            Ordering::Relaxed,
        );
        gone_in.ok().map(|_| ticket)
    }

    /// Whether the record, which is the caller's own, is of this lock, and held so that one may go in
    /// again in this mode.
    fn is_written(&self, space: u64, text: &[u8], mode: Mode) -> bool {
        self.record.with(|place| {
            // SAFETY: the caller has written the record, with a short text, and nobody writes to it
            // until it has released.
            #[expect(unsafe_code, reason = "the record is plain memory")]
            let (place, short) = unsafe { (&*place, &(*place).text.short) };
            let [length, ..] = place.kind_and_length.to_le_bytes();
            let kind = Kind(place.kind_and_length);
            let as_well = kind.mode() == mode || mode == Mode::Shared;
            place.space == space
                && short[..usize::from(length)] == *text
                && kind.permits() == 1
                && as_well
        })
    }

    /// Ends a thin hold that the caller has here, whatever its hash is; for those as well that
    /// [`Bucket::release`] doesn't end. False if the bucket has been inflated meanwhile.
    #[cold]
    pub(crate) fn release_slot(&self, ticket: Ticket) -> bool {
        // While it is thin nobody else changes the word, so no ordering is needed to see it.
        let word = self.word.load(Ordering::Relaxed);
        if !is_thin(word) {
            return false;
        }
        let rest = without(word, ticket);
        if is_held(rest) {
            // Release pairs with the acquire in `reserve`: who looks and finds it gone sees what was
            // done before.
            let gone = self
                .word
                .compare_exchange(word, rest, Ordering::Release, Ordering::Relaxed);
            return gone.is_ok();
        }
        if word & SHORT != 0 {
            return self.release_as(word);
        }
        // Before it is released: afterwards the record is the next holder's.
        let text = self.record.with(|place| {
            // SAFETY: the caller has written the record, with a text on the heap, and nobody writes
            // until it has released; a `reserve` that is faster only reads.
            #[expect(unsafe_code, reason = "the record is plain memory")]
            unsafe {
                (*place).text.long
            }
        });
        let released = self.release_as(word);
        if released {
            free(text);
        }
        released
    }

    /// Whether the lock of the hash is held thin. A hint: by now it may have changed.
    pub(crate) fn is_held_thin(&self, hash: u64) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        is_thin(word) && word | STATES == thin(hash)
    }

    /// Inflates the bucket, or keeps it so, until [`Bucket::unreserve`]. Returns
    /// what is to become an entry. The shard's mutex must be locked.
    pub(crate) fn reserve(&self) -> Option<Written> {
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
        is_thin(word).then(|| self.read(word))
    }

    /// Ends a reservation; without one left, and without an entry, the bucket is
    /// free. The shard's mutex must be locked.
    pub(crate) fn unreserve(&self) {
        let word = self.word.load(Ordering::Relaxed) - ENTRY;
        if word == FREE {
            // For invariant 1. If the record was that of a thin hold, its holder has since
            // released, with the mutex, and writes here no more.
            self.complete.store(false, Ordering::Relaxed);
        }
        // Release pairs with the acquire in `try_take`: the entries' last holders
        // have released under the mutex, before this.
        self.word.store(word, Ordering::Release);
    }

    /// Whether no lock is held or awaited. A hint: by now it may have changed.
    pub(crate) fn is_free(&self) -> bool {
        self.word.load(Ordering::Relaxed) == FREE
    }

    /// What the holder of the thin hold that has become an entry has written down, of which this was
    /// the word. For who has just made it one.
    fn read(&self, word: u64) -> Written {
        let (owner, site) = self.with_record(|place| {
            // Relaxed: by invariant 4 it is older than the rest of the record.
            let owner = self.owner.load(Ordering::Relaxed);
            (
                Owner::of_word(owner),
                place.site.expect("a complete record is there"),
            )
        });
        let holder = |ticket, site| Some((ticket, Record { owner, site }));
        let again = |nth: usize| {
            if word & NOT_AGAIN[nth] != 0 {
                return None;
            }
            let site = self.again[nth].with(|place| {
                // SAFETY: the word said that it is there, and by now is 2 × n, so that the holder
                // doesn't write here.
                #[expect(unsafe_code, reason = "plain memory")]
                unsafe {
                    *place
                }
            });
            holder(
                Ticket::AGAIN[nth],
                site.expect("what the word says is there"),
            )
        };
        let first = holder(Ticket::FIRST, site).filter(|_| word & FIRST != 0);
        let holders = [first, again(0), again(1)];
        let (space, key, kind) =
            self.with_record(|place| (place.space, place.key(), Kind(place.kind_and_length)));
        Written {
            space,
            key,
            holders,
            mode: kind.mode(),
            permits: kind.permits(),
        }
    }

    /// The name of the lock of a thin hold that has become an entry, and whose text is short. For its
    /// holder.
    pub(crate) fn name(&self) -> (u64, Key) {
        self.with_record(|place| (place.space, place.key()))
    }

    /// Waits for the holder to finish, which takes it a few instructions. The shard's mutex must be
    /// locked, and the hold has become an entry.
    fn with_record<R>(&self, look: impl FnOnce(&ThinRecord) -> R) -> R {
        // Acquire pairs with the release in `try_take` and `release`.
        spin(|| self.complete.load(Ordering::Acquire).then_some(()));
        self.record.with(|place| {
            // SAFETY: the word was odd and is 2 × n by now, for as long as the hold has an entry, and
            // the record is complete, so nobody writes to it until the word has been 0 again, see
            // the `Sync` of `Bucket`.
            #[expect(unsafe_code, reason = "the record is plain memory")]
            look(unsafe { &*place })
        })
    }
}

/// Frees a text on the heap, which nobody else does by invariant 5.
fn free(text: *mut [u8]) {
    // SAFETY: `try_take_long` has made it of a box.
    #[expect(unsafe_code, reason = "it is a box again")]
    drop(unsafe { Box::from_raw(text) });
}
