//! A cycle of lock files, each of which is held by a process that waits for the next.
//!
//! It is found by what those processes say in the files, see [`behind`](super::behind): from a file to
//! the one that its holder waits for, wherever that is, until one is the first again. Nobody says so
//! before it has lasted for a while, and what is said is true until it is taken away. So all of a
//! cycle that is seen [twice](Seen) was there at one moment, between the two looks: the `model`
//! has it so.

use super::behind::{Behind, START};
use super::descriptor;
use super::record;
use super::sys::{Files as _, Os};
use super::table;
use crate::holder::Elsewhere;
use crate::ordered::sort;
use std::fs::File;
use std::path::Path;

/// How many files are looked at.
const MOST: usize = 256;

/// A file of a cycle.
pub(super) struct Hop {
    /// What its holder waits for.
    pub(super) behind: Behind,
    /// Its holder.
    pub(super) holder: Elsewhere,
}

/// A file that was come to.
pub(super) struct Reached {
    pub(super) identity: [u64; 2],
    pub(super) hops: Vec<Hop>,
    /// By which of the others, and which of its hops.
    from: Option<(usize, usize)>,
}

impl Reached {
    pub(super) const fn new(identity: [u64; 2], hops: Vec<Hop>) -> Self {
        Self {
            identity,
            hops,
            from: None,
        }
    }
}

/// What tells a cycle from others: the waits, by their processes and numbers, in order.
pub(super) type Marks = Vec<(u32, u64)>;

/// The same wherever the cycle is come to.
pub(super) fn marks(cycle: &[Hop]) -> Marks {
    let marks = cycle.iter().map(|hop| (hop.behind.by.pid, hop.behind.wait));
    let mut marks: Marks = marks.collect();
    sort(&mut marks, Ord::cmp);
    marks
}

/// What the looks from one file have come to.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The cycle that the last one has found, if it has.
    pub(super) cycle: Option<Marks>,
    pub(super) is_reported: bool,
}

/// What another look has changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// What was found before isn't there any more, or is another one.
    Other,
    /// Nothing.
    Same,
    /// The same cycle was found again, and is to be reported.
    Lasts,
}

impl Seen {
    pub(super) fn note(&mut self, found: Option<Marks>) -> News {
        if self.cycle != found {
            self.cycle = found;
            self.is_reported = false;
            return News::Other;
        }
        if self.cycle.is_none() || self.is_reported {
            return News::Same;
        }
        self.is_reported = true;
        News::Lasts
    }
}

/// The shortest cycle that leads from an open lock file back to it, by a line of it that is to
/// be followed.
pub(super) fn cycle(start: &File, follows: &dyn Fn(&Behind) -> bool) -> Option<Vec<Hop>> {
    let namespace = record::namespace()?;
    let first = reach(start, namespace)?;
    search(first, follows, &mut |path| {
        reach(&table::open_to_read(path).ok().flatten()?, namespace)
    })
}

/// The same, where `look` says what there is at a path.
pub(super) fn search(
    mut first: Reached,
    follows: &dyn Fn(&Behind) -> bool,
    look: &mut dyn FnMut(&Path) -> Option<Reached>,
) -> Option<Vec<Hop>> {
    first.hops.retain(|hop| follows(&hop.behind));
    let mut reached = vec![first];
    let mut next = 0;
    while next < reached.len() && reached.len() < MOST {
        for index in 0..reached[next].hops.len() {
            let Behind { identity, path, .. } = &reached[next].hops[index].behind;
            if *identity == reached[0].identity {
                return Some(back(reached, (next, index)));
            }
            if reached.iter().any(|other| other.identity == *identity) {
                continue;
            }
            // The path may lead elsewhere by now, or here.
            let found = look(path).filter(|found| found.identity == *identity);
            reached.extend(found.map(|found| Reached {
                from: Some((next, index)),
                ..found
            }));
        }
        next += 1;
    }
    None
}

fn reach(file: &File, namespace: u64) -> Option<Reached> {
    let found = file.metadata().ok()?;
    if !found.is_file() || found.len() <= START as u64 {
        return None; // Most say nothing.
    }
    let identity = Os::words(Os::identity(file).ok()?);
    let record = descriptor::record(file).ok().flatten();
    let hop = |behind: Behind| {
        let pid = behind.by.pid;
        // That of a lock that is shared may be another one's.
        let record = record.clone().filter(|record| record.pid() == pid);
        let holder = record.map_or_else(|| record::stranger(pid), Elsewhere::from);
        Hop { behind, holder }
    };
    let lines = descriptor::behind(file).ok()?;
    let hops = lines.believed(namespace).map(hop).collect();
    Some(Reached::new(identity, hops))
}

/// The hops to the last one.
fn back(mut reached: Vec<Reached>, last: (usize, usize)) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut at = Some(last);
    while let Some((file, index)) = at {
        at = reached[file].from;
        hops.push(reached[file].hops.swap_remove(index));
    }
    hops.reverse();
    hops
}
