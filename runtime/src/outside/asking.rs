//! Who waits for a lock outside of the process, for people who look.
//!
//! Whoever does holds the lock of the line, so in the process it looks as if it had the lock. Here
//! it says that it has not, from the moment on that it waits until it has got the lock or gives up.

use crate::holder::Holder;
use crate::ordered::OrderedMap;
use crate::sync::ambient::Mutex;
use crate::table::Hold;
use crate::table::moment::{Moment, Times};
use crate::table::place::Ticket;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// By the hash and the ticket of the hold of the line.
static ASKING: Mutex<OrderedMap<(u64, Ticket), Asking>> = Mutex::new(OrderedMap::new());

/// Somebody who waits outside.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) times: Times,
    pub(crate) lock: Arc<dyn Asked>,
}

/// The lock that is asked for.
pub(crate) trait Asked: Send + Sync {
    /// What it is called.
    fn name(&self) -> String;

    /// Who has it, as far as that is known.
    fn holder(&self) -> Option<Holder>;
}

/// That somebody waits outside; until this is dropped.
pub(super) struct Registered((u64, Ticket));

impl Registered {
    /// Who gives up has so much time `left`.
    pub(super) fn new(line: &Hold, left: Option<Duration>, lock: Arc<dyn Asked>) -> Self {
        let id = line.id();
        let times = Times::new(Moment::now(), left);
        ASKING.lock().insert(id, Asking { times, lock });
        Self(id)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // What is known of the lock is dropped when the mutex is free.
        let _asking = ASKING.lock().remove(&self.0);
    }
}

/// Has an engine say that it is about to block the thread.
pub(crate) struct Begins<'a>(pub(super) &'a dyn Fn());

impl Begins<'_> {
    pub(crate) fn tell(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Begins<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begins")
    }
}

/// All who wait outside.
pub(crate) fn all() -> OrderedMap<(u64, Ticket), Asking> {
    ASKING.lock().clone()
}
