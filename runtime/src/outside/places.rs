//! Which locks of an engine this process uses, by name.

use super::line::Line;
use crate::key::Key;
use crate::name::remember;
use crate::table::hash::TableHasher;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::ops::Deref;
use std::sync::Arc;

/// The locks of an engine that somebody in this process wants or has, by name. What is known of
/// one, a `P`, lasts for as long as anybody does.
#[derive(Debug)]
pub struct Places<P> {
    space: &'static str,
    turns: &'static str,
    in_use: Arc<Mutex<Table<P>>>,
}

type Table<P> = HashMap<Key, Used<P>, BuildHasherDefault<TableHasher>>;

#[derive(Debug)]
struct Used<P> {
    lock: Arc<Lock<P>>,
    users: usize,
}

#[derive(Debug)]
struct Lock<P> {
    line: Line,
    place: P,
}

/// A lock in use, for as long as this lives; it is the `P` that is known of it.
pub struct InUse<P> {
    lock: Arc<Lock<P>>,
    table: Arc<Mutex<Table<P>>>,
}

impl<P> Places<P> {
    /// None yet. `space` is what texts call the space.
    #[must_use]
    pub fn new(space: &'static str) -> Self {
        Self {
            space,
            turns: remember(format!("{space} (turns)")),
            in_use: Arc::default(),
        }
    }

    /// The lock of a name. `make` is called where nobody in this process uses it, and may not
    /// ask for one itself.
    pub fn of(&self, name: &Key, make: impl FnOnce() -> P) -> InUse<P> {
        let mut in_use = self.in_use.lock();
        let used = in_use.entry(name.clone()).or_insert_with(|| Used {
            lock: Arc::new(Lock {
                line: Line::new(self.space, self.turns, name.clone()),
                place: make(),
            }),
            users: 0,
        });
        used.users += 1;
        InUse {
            lock: Arc::clone(&used.lock),
            table: Arc::clone(&self.in_use),
        }
    }
}

/// The queue of the lock in this process.
impl<P> AsRef<Line> for InUse<P> {
    fn as_ref(&self) -> &Line {
        &self.lock.line
    }
}

impl<P> Deref for InUse<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.lock.place
    }
}

impl<P> Drop for InUse<P> {
    fn drop(&mut self) {
        let mut in_use = self.table.lock();
        let name = &self.lock.line.name;
        let unused = in_use.get_mut(name).is_some_and(|used| {
            used.users -= 1;
            used.users == 0
        });
        let last = unused.then(|| in_use.remove(name));
        drop(in_use); // Before what was known of it is.
        drop(last);
    }
}

impl<P: fmt::Debug> fmt::Debug for InUse<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InUse").field(&self.lock.place).finish()
    }
}
