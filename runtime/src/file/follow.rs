//! A cycle of lock files, each of which is held by a process that waits for the next.
//!
//! It is found by what those processes say in the files, see [`behind`](super::behind): from a file to
//! the one that its holder waits for, wherever that is, until one is the first again. Nobody says so
//! before it has lasted for a while, and what is said is true until it is taken away. So all of a
//! cycle that is seen twice was there at one moment, between the two looks.

use super::behind::{Behind, START};
use super::descriptor;
use super::record;
use super::sys::{Files as _, Os};
use super::table;
use crate::holder::Elsewhere;
use std::fs::File;

/// How many files are looked at.
const MOST: usize = 256;

/// A file of a cycle.
pub(super) struct Hop {
    /// What its holder waits for.
    pub(super) behind: Behind,
    /// Its holder.
    pub(super) holder: Elsewhere,
}

/// A file that was come to, and by which of the others.
struct Reached {
    identity: [u64; 2],
    hops: Vec<Hop>,
    from: Option<(usize, usize)>,
}

/// The shortest cycle that leads from an open lock file back to it, by a line of it that is to
/// be followed.
pub(super) fn cycle(start: &File, follows: impl Fn(&Behind) -> bool) -> Option<Vec<Hop>> {
    let namespace = record::namespace()?;
    let mut first = reach(start, namespace, None)?;
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
            let file = table::open_to_read(path).ok().flatten();
            let found = file.and_then(|file| reach(&file, namespace, Some((next, index))));
            // The path may lead elsewhere by now, or here.
            reached.extend(found.filter(|found| found.identity == *identity));
        }
        next += 1;
    }
    None
}

fn reach(file: &File, namespace: u64, from: Option<(usize, usize)>) -> Option<Reached> {
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
    Some(Reached {
        identity,
        hops,
        from,
    })
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
