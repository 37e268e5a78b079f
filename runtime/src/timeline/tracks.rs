//! Who is in a picture: the locks, with a track for each hold at a time, and the threads and tasks.

use super::rows::Row;
use crate::key::Key;
use crate::name::{Keys, PlainName};
use crate::named;
use crate::owner::{Numbered, Owner};
use crate::table::identity::name_of;
use std::sync::Arc;

/// The ids of threads of which the system's isn't known begin beyond all of those.
const UNKNOWN_IDS: u64 = 1 << 32;

/// A lock that is in the picture.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) name: String,
    /// Until when each of its tracks is in use.
    lanes: Vec<u64>,
}

/// A thread or a task that is in the picture.
#[derive(Debug)]
pub(super) enum Who {
    Thread { id: u64, name: String },
    Task { label: Option<Arc<str>> },
    Unknown,
}

/// A track of a lock.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) lock: usize,
    /// How many tracks of the lock there are before it.
    pub(super) lane: usize,
}

impl Lock {
    /// The locks, and which of them each row is of.
    pub(super) fn all(rows: &[Row], keys: Keys) -> (Vec<Self>, Vec<u32>) {
        grouped(
            rows,
            |row| (row.space, &*row.key),
            |row| {
                let space = name_of(row.space.into());
                let key = &keys.shown(&Key::from_text(&row.key));
                let name = PlainName { space, key }.to_string();
                let lanes = Vec::new();
                Self { name, lanes }
            },
        )
    }

    /// Which of its tracks is free for a hold.
    pub(super) fn lane(&mut self, from: u64, to: u64) -> usize {
        let free = self.lanes.iter().position(|until| *until <= from);
        let lane = free.unwrap_or(self.lanes.len());
        match free {
            Some(lane) => self.lanes[lane] = to,
            None => self.lanes.push(to),
        }
        lane
    }
}

impl Who {
    /// The threads and tasks, and which of them each row is of.
    pub(super) fn all(rows: &[Row]) -> (Vec<Self>, Vec<u32>) {
        grouped(
            rows,
            |row| row.record.owner,
            |row| Self::of(row.record.owner),
        )
    }

    fn of(owner: Owner) -> Self {
        if owner == Owner::UNKNOWN {
            return Self::Unknown;
        }
        if owner.is_task() {
            let label = named::label_of(owner);
            return Self::Task { label };
        }
        let number = owner.word();
        let running = owner.find_thread();
        let id = running.as_ref().and_then(Numbered::id);
        let has_ended = running.is_none();
        let thread = running.map(|thread| thread.thread);
        let thread = thread.or_else(|| owner.find_ended());
        let name = thread.as_ref().and_then(|thread| thread.name());
        Self::Thread {
            // Of one that has ended, another one may have the id by now.
            id: id.map_or(UNKNOWN_IDS + number, u64::from),
            name: match name {
                Some(name) => name.to_owned(),
                None if has_ended => format!("thread {number}, which has ended"),
                None => format!("thread {number}, unnamed"),
            },
        }
    }
}

/// What is made of the rows of each group, and which group each row is in.
fn grouped<'a, K: Ord, T>(
    rows: &'a [Row],
    key: impl Fn(&'a Row) -> K,
    make: impl Fn(&'a Row) -> T,
) -> (Vec<T>, Vec<u32>) {
    let count = u32::try_from(rows.len()).expect("rows are bounded");
    let row = |index: u32| &rows[index as usize];
    let mut order: Vec<_> = (0..count).collect();
    order.sort_unstable_by_key(|index| key(row(*index)));
    let (mut groups, mut of) = (Vec::new(), vec![0; rows.len()]);
    let mut last = None;
    for index in order {
        let next = Some(key(row(index)));
        if next != last {
            groups.push(make(row(index)));
            last = next;
        }
        of[index as usize] = u32::try_from(groups.len() - 1).expect("no more than rows");
    }
    (groups, of)
}
