//! Who is in a picture: the locks, with a track for each hold at a time, and the threads and tasks.

use super::carry::{Carry, Lanes};
use super::rows::Row;
use crate::key::Key;
use crate::name::{Keys, PlainName};
use crate::named;
use crate::ordered::sort;
use crate::owner::{Numbered, Owner};
use crate::table::identity::name_of;
use std::sync::Arc;

/// The ids of threads of which the system's isn't known begin beyond all of those. They have 32 bits,
/// as Perfetto reads them.
const UNKNOWN_IDS: u64 = 1 << 24;

/// A lock that is in the picture. What it is called is found when somebody asks, since there may be
/// many.
#[derive(Debug)]
pub(super) struct Lock {
    /// One of its rows.
    pub(super) row: usize,
    pub(super) lanes: Lanes,
    /// How many wait.
    pub(super) waiters: u32,
    /// Whether something goes on at the end.
    pub(super) is_open: bool,
}

/// A thread or a task that is in the picture.
#[derive(Debug)]
pub(super) enum Who {
    Thread { id: u64, name: String },
    Task { label: Option<Arc<str>> },
    Unknown,
}

impl Lock {
    /// The locks, and which of them each row is of.
    #[inline]
    pub(super) fn all(rows: &[Row], carry: &mut Carry) -> (Vec<Self>, Vec<u32>) {
        let make = |row| Self {
            row,
            lanes: carry.take(&rows[row]),
            waiters: 0,
            is_open: false,
        };
        grouped(rows, |row| (row.space, &*row.key), make)
    }

    #[inline]
    pub(super) fn name(&self, rows: &[Row], keys: Keys) -> String {
        let row = &rows[self.row];
        let space = name_of(row.space.into());
        let key = &keys.shown(&Key::from_text(&row.key));
        PlainName { space, key }.to_string()
    }
}

impl Who {
    /// The threads and tasks, and which of them each row is of.
    #[inline]
    pub(super) fn all(rows: &[Row]) -> (Vec<Self>, Vec<u32>) {
        grouped(
            rows,
            |row| row.record.owner,
            |index| Self::of(rows[index].record.owner),
        )
    }

    #[inline]
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
    mut make: impl FnMut(usize) -> T,
) -> (Vec<T>, Vec<u32>) {
    let count = u32::try_from(rows.len()).expect("rows are bounded");
    let row = |index: u32| &rows[index as usize];
    let mut order: Vec<_> = (0..count).collect();
    sort(&mut order, |one, other| {
        key(row(*one)).cmp(&key(row(*other)))
    });
    let (mut groups, mut of) = (Vec::new(), vec![0; rows.len()]);
    let mut last = None;
    for index in order {
        let next = Some(key(row(index)));
        if next != last {
            groups.push(make(index as usize));
            last = next;
        }
        of[index as usize] = u32::try_from(groups.len() - 1).expect("no more than rows");
    }
    (groups, of)
}
