//! What later parts of a picture have to know of those that are drawn: which tracks there are, and until
//! when each is in use.
//!
//! It is bounded. Where there is no more room, locks are forgotten of which nothing goes on: all that comes
//! of them is later than all that was. If that isn't enough all of them are; then what comes of them is on new
//! tracks of the same names.

use super::rows::Row;
use std::mem;
use std::sync::Arc;

/// How much is kept, in bytes.
const ROOM: usize = 384 * 1024;

/// What a part of memory of its own takes beside its bytes, about.
const OF_PART: usize = 16;

/// What is known of the parts before.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    /// In the order of their spaces and keys.
    locks: Vec<Known>,
    /// How many of each there are so far.
    pub(super) tracks: u32,
    pub(super) flows: u32,
    pub(super) tasks: usize,
    pub(super) rows: usize,
    /// Whether something is drawn.
    pub(super) is_begun: bool,
}

/// A lock, and its tracks.
#[derive(Debug)]
struct Known {
    space: u32,
    key: Arc<str>,
    lanes: Lanes,
    /// Whether something goes on.
    is_open: bool,
}

/// The tracks of a lock.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    all: Vec<Lane>,
    /// The last of its holds that has ended.
    pub(super) last: Option<Ended>,
}

#[derive(Debug)]
struct Lane {
    track: u32,
    /// Until when it is in use.
    until: u64,
}

/// Which hold has ended, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// Its row, if it is in this part.
    pub(super) row: Option<u32>,
    pub(super) track: u32,
    pub(super) at: u64,
}

impl Carry {
    /// What is known of a lock.
    #[inline]
    pub(super) fn take(&mut self, row: &Row) -> Lanes {
        let name = (row.space, &*row.key);
        let found = self.locks.binary_search_by(|known| known.name().cmp(&name));
        found.map_or_else(
            |_| Lanes::default(),
            |at| mem::take(&mut self.locks[at].lanes),
        )
    }

    /// Keeps what is known by now of the locks of a part, each with its tracks and whether
    /// something of it goes on, and of the others.
    pub(super) fn keep(&mut self, of_part: impl Iterator<Item = (u32, Arc<str>, Lanes, bool)>) {
        let locks = &mut self.locks;
        locks.retain(|known| !known.lanes.all.is_empty());
        for known in &mut *locks {
            known.is_open = false;
        }
        locks.extend(of_part.map(|(space, key, mut lanes, is_open)| {
            if let Some(last) = &mut lanes.last {
                last.row = None;
            }
            Known {
                space,
                key,
                lanes,
                is_open,
            }
        }));
        if bytes(locks) > ROOM {
            locks.retain(|known| known.is_open);
        }
        if bytes(locks) > ROOM {
            self.forget();
        }
        self.locks.shrink_to(2 * self.locks.len());
        self.locks
            .sort_unstable_by(|one, other| one.name().cmp(&other.name()));
    }

    /// What comes is on new tracks.
    #[inline]
    pub(super) fn forget(&mut self) {
        self.locks = Vec::new();
    }
}

#[inline]
fn bytes(locks: &[Known]) -> usize {
    let bytes = |known: &Known| {
        let lanes = known.lanes.all.len() * size_of::<Lane>();
        size_of::<Known>() + known.key.len() + lanes + 2 * OF_PART
    };
    locks.iter().map(bytes).sum()
}

impl Known {
    #[inline]
    fn name(&self) -> (u32, &str) {
        (self.space, &self.key)
    }
}

impl Lanes {
    /// The track that is free for a hold, which is in use by it then. A new one is drawn from those that
    /// there are, and told of by how many tracks the lock has then.
    #[inline]
    pub(super) fn place(&mut self, from: u64, to: u64, tracks: &mut u32) -> (u32, Option<usize>) {
        if let Some(lane) = self.all.iter_mut().find(|lane| lane.until <= from) {
            lane.until = to;
            return (lane.track, None);
        }
        let track = *tracks;
        *tracks += 1;
        self.all.push(Lane { track, until: to });
        (track, Some(self.all.len()))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A lock of which there was a hold.
    fn held(key: usize, carry: &mut Carry, is_open: bool) -> (u32, Arc<str>, Lanes, bool) {
        let mut lanes = Lanes::default();
        lanes.place(1, 2, &mut carry.tracks);
        (0, key.to_string().into(), lanes, is_open)
    }

    fn is_known(key: &str, carry: &Carry) -> bool {
        carry.locks.iter().any(|known| &*known.key == key)
    }

    #[test]
    fn hold_has_a_track_that_is_free() {
        let (mut lanes, mut tracks) = (Lanes::default(), 7);
        assert_eq!(lanes.place(0, 2, &mut tracks), (7, Some(1)));
        assert_eq!(lanes.place(1, 3, &mut tracks), (8, Some(2)));
        assert_eq!(lanes.place(2, 9, &mut tracks), (7, None));
        // Known only now, and drawn all the same.
        assert_eq!(lanes.place(0, 9, &mut tracks), (9, Some(3)));
    }

    #[test]
    fn locks_of_which_nothing_goes_on_give_way() {
        let mut carry = Carry::default();
        let few: Vec<_> = (0..3).map(|key| held(key, &mut carry, key == 0)).collect();
        carry.keep(few.into_iter());
        assert!(is_known("0", &carry) && is_known("2", &carry));
        let many = (3..10_000).map(|key| held(key, &mut carry, key == 3));
        let many: Vec<_> = many.collect();
        carry.keep(many.into_iter());
        assert!(is_known("3", &carry) && !is_known("0", &carry) && !is_known("4", &carry));
        let open: Vec<_> = (0..10_000).map(|key| held(key, &mut carry, true)).collect();
        carry.keep(open.into_iter());
        assert!(carry.locks.is_empty());
        // Their next tracks are other ones.
        assert!(carry.tracks >= 20_000);
    }
}
