//! The way from an owner to another one, over the locks that each waits for.
//!
//! For who knows of owners that are stuck for a reason outside of the process: whoever has a way to
//! one of them is stuck as well. Of a lock with several permits somebody else's may come back, so
//! there is no way over it.

use super::judge::GRAPH;
use crate::ordered::OrderedSet;
use crate::owner::Owner;
use crate::table;
use crate::table::waits::{Cycle, Step, Waits};

/// How many owners are looked at.
const MOST: usize = 10_000;

/// The shortest way from an owner to one that is an end, which has no steps if it is one itself.
pub(crate) fn find_way(from: Owner, is_end: impl Fn(Owner) -> bool) -> Option<Cycle> {
    if is_end(from) {
        return Some(Cycle(Vec::new()));
    }
    let graph = GRAPH.lock();
    let mut known = OrderedSet::new();
    known.add(from);
    // Each with the step to it, and from where that was.
    let mut reached: Vec<(Owner, Option<(usize, Step)>)> = vec![(from, None)];
    let mut next = 0;
    while next < reached.len() && reached.len() < MOST {
        for step in steps(&graph.waits, reached[next].0) {
            let owner = step.holder.owner;
            if known.add(owner) {
                reached.push((owner, Some((next, step))));
                if is_end(owner) {
                    return Some(back(&reached));
                }
            }
        }
        next += 1;
    }
    None
}

/// The way to the last one that was reached.
fn back(reached: &[(Owner, Option<(usize, Step)>)]) -> Cycle {
    let mut steps = Vec::new();
    let mut at = reached.last();
    while let Some((_, Some((from, step)))) = at {
        steps.push(step.clone());
        at = reached.get(*from);
    }
    steps.reverse();
    Cycle(steps)
}

/// From an owner to all that hold what it waits for.
fn steps(waits: &Waits, owner: Owner) -> Vec<Step> {
    let mut steps = Vec::new();
    for (wait, _) in waits.of(owner).filter(|(_, wait)| !wait.told) {
        table::look(wait.entry, |entry| {
            let Some(waiter) = entry.record_of(wait.ticket) else {
                return;
            };
            if !entry.has_one_permit() {
                return; // None, see above.
            }
            // All of them, as each keeps it from others.
            for hold in entry.parties(wait.entry) {
                steps.push(Step {
                    wait,
                    hold: hold.place,
                    waiter,
                    space: entry.space,
                    key: entry.key(),
                    holder: hold.record,
                });
            }
        });
    }
    steps
}
