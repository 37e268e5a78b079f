//! Taking locks by their buckets alone.

use super::bucket::index;
use super::few::Few;
use super::policy::Mode;
use super::record::Kind;
use super::shard::bucket;
use super::{Hold, Name, hash_uuid, release_few, try_join};
use crate::key::uuid::UuidText;
use crate::site::Record;

/// Whether [`try_take_thin_as`] is worth a try. A hint, which takes the bucket's cache line
/// from nobody, as a try would.
pub(crate) fn looks_free(name: Name<'_>) -> bool {
    bucket(name.hash).is_free()
}

/// Whether somebody holds the lock by its bucket alone. A hint, as [`looks_free`].
pub(crate) fn is_held_thin(hash: u64) -> bool {
    bucket(hash).is_held_thin(hash)
}

/// Takes the lock exclusively, by its bucket alone, if it has one permit and a short text. Gives the
/// word of the hold, which is the hash, and of which [`Hold::thin`] makes the hold: a hold would come back in memory, from where copying
/// it costs as much again as all the rest.
#[inline]
pub(crate) fn try_take_thin(name: Name<'_>, record: Record) -> Option<u64> {
    let Name { hash, space, text } = name;
    let is_taken = name.has_one_permit()
        && name.is_short()
        && bucket(hash).try_take(hash, space.number, text, Kind::EXCLUSIVE, record);
    is_taken.then_some(hash)
}

/// The same of a UUID, in a space whose locks have one permit.
#[inline]
pub(crate) fn try_take_uuid(space: u64, text: UuidText, record: Record) -> Option<u64> {
    let hash = hash_uuid(space, text);
    let is_taken = bucket(hash).try_take_uuid(hash, space, text, record);
    is_taken.then_some(hash)
}

/// The same, in any mode, of any number of permits and any text; also beside others. Gives the word of the
/// hold.
#[expect(clippy::inline_always, reason = "a call costs a tenth as much")]
#[inline(always)]
pub(crate) fn try_take_thin_as(name: Name<'_>, mode: Mode, record: Record) -> Option<u64> {
    let kind = Kind::new(mode, name.space.policy.permits);
    if !name.is_short() {
        return take_long(name, kind, record);
    }
    let word = kind.word(name.hash);
    let Name { space, text, .. } = name;
    if bucket(word).try_take(word, space.number, text, kind, record) {
        return Some(word);
    }
    if kind.is_joint() {
        return join(name, kind, record);
    }
    None
}

#[cold]
fn take_long(name: Name<'_>, kind: Kind, record: Record) -> Option<u64> {
    let Name { hash, space, text } = name;
    bucket(hash).try_take_long(kind.word(hash), space.number, text, kind, record)
}

/// How often [`join`] tries.
const JOINS: u32 = if cfg!(all(test, loom)) { 1 } else { 8 };

/// Takes the lock beside others, or as the first where they have gone meanwhile. It insists, since who goes
/// the slow way inflates the bucket, and then it stays so for as long as there is always somebody: where
/// threads share a lock all the time, and some of them are preempted with it, for ever.
#[cold]
fn join(name: Name<'_>, kind: Kind, record: Record) -> Option<u64> {
    let word = kind.word(name.hash);
    let Name { space, text, .. } = name;
    for _ in 0..JOINS {
        let joined = try_join(name, kind, false, record);
        if joined.is_some() {
            return joined;
        }
        if looks_free(name) && bucket(word).try_take(word, space.number, text, kind, record) {
            return Some(word);
        }
    }
    None
}

/// Takes up to [`MOST`] locks exclusively, each by its bucket alone; all of them or none. They are
/// none also if one of them is there twice, or two are in one bucket.
#[inline]
pub(crate) fn try_take_few<'a>(
    names: impl Iterator<Item = Name<'a>>,
    record: Record,
) -> Option<Hold> {
    let mut few = Few::NONE;
    for name in names {
        let Some(hash) = try_take_thin(name, record) else {
            release_few(few);
            return None;
        };
        few.push(index(hash));
    }
    let (word, ticket) = few.words();
    Some(Hold { word, ticket })
}
