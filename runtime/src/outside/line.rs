//! Those of this process who want a lock that is outside of it.

use crate::key::Key;
use crate::local::Locks;
use crate::table::policy::Class;
use parking_lot::Mutex;
use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};

/// The half of a lock that is in this process: whoever takes the lock outside of it has this
/// one first. So all callers of the process have one queue, with its order, its deadlock
/// detection and its cancel safety, and one of them at a time deals with the engine.
#[derive(Debug)]
pub struct Line {
    pub(crate) locks: Locks,
    /// Whose turn it is to wait outside, of those who share the lock.
    pub(crate) turns: Locks,
    pub(crate) name: Key,
    /// What it is called in this process: the key of whoever has asked for it first. A name of a server
    /// may be a number that is made of the key, which tells people nothing.
    called: OnceLock<Key>,
    /// The engine's hold, of those in this process who have the lock together.
    hold: Mutex<Weak<dyn Any + Send + Sync>>,
}

impl Line {
    /// The half of the lock that has this name outside. `space` is what texts of deadlocks, and
    /// [`snapshot`](crate::snapshot()), call the space; `turns`, what they call that of those
    /// who share the lock and wait for their turn. The lock is called by its key.
    #[must_use]
    pub const fn new(space: &'static str, turns: &'static str, name: Key) -> Self {
        Self {
            locks: Locks::of_class(space, Class::Name),
            turns: Locks::of_class(turns, Class::None),
            name,
            called: OnceLock::new(),
            hold: Mutex::new(Weak::<()>::new()),
        }
    }

    /// The same, which is called by its name, and not by its key.
    #[cfg(feature = "file")]
    pub(crate) fn called_by_name(self) -> Self {
        self.called(&self.name);
        self
    }

    /// What the lock is called in this process, for who asks for it by this key.
    pub(crate) fn called(&self, key: &Key) -> &Key {
        self.called.get_or_init(|| key.clone())
    }

    /// The hold that somebody in this process has.
    pub(super) fn hold<H: Send + Sync + 'static>(&self) -> Option<Arc<H>> {
        let hold = self.hold.lock().upgrade();
        hold?.downcast().ok()
    }

    /// Keeps the engine's hold for the other threads and tasks that share the lock.
    pub(super) fn share<H: Send + Sync + 'static>(&self, hold: H) -> Arc<H> {
        let hold = Arc::new(hold);
        *self.hold.lock() = Arc::downgrade(&hold) as Weak<dyn Any + Send + Sync>;
        hold
    }

    /// Whether somebody in this process has such a hold.
    pub(super) fn is_held(&self) -> bool {
        self.hold.lock().strong_count() > 0
    }
}
