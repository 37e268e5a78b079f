//! Who waits behind a lock, drawn as a tree.
//!
//! Of those who wait in one place of the code, and hold nothing that is waited for, the first is
//! shown, and how many more there are. The tree is bounded, and says how many it leaves out.

use super::forest::Forest;
use crate::holder::Holder;
use crate::lasted::Seconds;
use crate::name::{Keys, PlainName};
use crate::ordered::OrderedSet;
use crate::owner::Owner;
use crate::site::Site;
use crate::table::moment::Moment;
use crate::table::place::Place;
use std::fmt;
use std::time::Duration;

/// How many lines a lock has for those who wait for it.
const LINES: usize = 8;

/// How many locks are shown behind each other.
const DEPTH: usize = 16;

/// Those who wait for a lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) branches: Vec<Branch>,
    /// How many more there are.
    pub(super) left_off: usize,
}

/// Somebody who waits.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) who: Holder,
    pub(super) waited: Duration,
    /// How much of its time is left, if it gives up.
    pub(super) left: Option<Duration>,
    /// Whether it is the task that has the lock.
    pub(super) is_same_task: bool,
    /// How many more wait in the same place.
    pub(super) more: usize,
    /// The locks that it holds and that are waited for.
    pub(super) holds: Vec<String>,
    pub(super) inside: Tree,
}

/// What a tree is made of.
pub(super) struct View<'a> {
    pub(super) forest: &'a Forest,
    /// What is shown of keys, by which those of the forest are replaced already.
    pub(super) keys: Keys,
    pub(super) now: Moment,
    /// Who has the lock at the root, if it is a task.
    pub(super) task: Option<Owner>,
    /// Those who are shown already.
    pub(super) shown: OrderedSet<Place>,
}

impl View<'_> {
    pub(super) fn tree(&self, locks: &[usize], depth: usize) -> Tree {
        let mut tree = Tree::default();
        for index in locks {
            self.add(*index, depth, &mut tree);
        }
        tree
    }

    fn add(&self, index: usize, depth: usize, tree: &mut Tree) {
        let lock = &self.forest.locks[index];
        let mut seen = OrderedSet::new();
        // No more than there are lines.
        let mut places: Vec<((Site, bool), usize)> = Vec::new();
        let start = tree.branches.len();
        for waiter in &lock.seen.queue {
            let owner = waiter.record.owner;
            // What an owner holds is shown with its first wait.
            let holds = lock.inside.get(&owner).filter(|_| seen.add(owner));
            if self.shown.contains_key(&waiter.place) && holds.is_none() {
                continue;
            }
            let is_same_task = self.task == Some(owner);
            let place = (waiter.record.site, is_same_task);
            let known = places.iter().find(|(known, _)| *known == place);
            match (holds, known) {
                (None, Some((_, branch))) => tree.branches[*branch].more += 1,
                _ if tree.branches.len() - start == LINES => {
                    tree.left_off += 1 + self.waiters(holds.map_or(&[], Vec::as_slice));
                }
                _ => {
                    let holds = holds.map_or(&[][..], Vec::as_slice);
                    if holds.is_empty() {
                        places.push((place, tree.branches.len()));
                    }
                    tree.branches.push(Branch {
                        who: waiter.show(self.now),
                        waited: waiter.waited(self.now),
                        left: waiter.left(self.now),
                        is_same_task,
                        more: 0,
                        holds: holds.iter().map(|index| self.name(*index)).collect(),
                        inside: self.inside(holds, depth),
                    });
                }
            }
        }
    }

    fn inside(&self, locks: &[usize], depth: usize) -> Tree {
        if depth < DEPTH {
            return self.tree(locks, depth + 1);
        }
        Tree {
            branches: Vec::new(),
            left_off: self.waiters(locks),
        }
    }

    fn waiters(&self, locks: &[usize]) -> usize {
        let waiters = locks.iter().map(|index| self.forest.locks[*index].waiters);
        waiters.sum()
    }

    /// What a lock is called.
    pub(super) fn name(&self, index: usize) -> String {
        let lock = &self.forest.locks[index];
        // That may be a path, which has the key in it.
        if let (Some(asking), Keys::Plain) = (&lock.asking, self.keys) {
            return asking.lock.name();
        }
        let (space, key) = (lock.seen.space, &lock.seen.key);
        PlainName { space, key }.to_string()
    }
}

impl Tree {
    /// How many are behind the lock, beside those who are shown already.
    pub(super) fn count(&self) -> usize {
        let branches = self.branches.iter();
        let branches = branches.map(|branch| 1 + branch.more + branch.inside.count());
        branches.sum::<usize>() + self.left_off
    }

    /// Draws the tree, each line after `indent`.
    pub(super) fn draw(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let Self { branches, left_off } = self;
        for (index, branch) in branches.iter().enumerate() {
            let is_last = index + 1 == branches.len() && *left_off == 0;
            let (fork, below) = if is_last {
                ("└─", "   ")
            } else {
                ("├─", "│  ")
            };
            write!(f, "\n{indent}{fork} {branch}")?;
            branch.inside.draw(f, &format!("{indent}{below}"))?;
        }
        match left_off {
            0 => Ok(()),
            count => write!(f, "\n{indent}└─ {count} more"),
        }
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            who, waited, holds, ..
        } = self;
        write!(f, "{who:#}, {}", Seconds(*waited))?;
        if let Some(left) = self.left {
            write!(f, ", gives up in {}", Seconds(left))?;
        }
        if !holds.is_empty() {
            write!(f, ", and holds {}", holds.join(", "))?;
        }
        if self.more > 0 {
            write!(f, ", and {} more from there", self.more)?;
        }
        if self.is_same_task {
            write!(f, ": the same task, so it will never end")?;
        }
        Ok(())
    }
}
