//! Tells those who listen.

use super::event::{Event, Hold, Loss, Wait};
#[cfg(feature = "metrics")]
use super::facade;
use super::listen::{Listeners, deafly, listeners};
use super::outcome::Outcome;
#[cfg(feature = "tracing")]
use super::spans;
use crate::costs;
use crate::deadlock::Deadlock;
use crate::foreign;
use crate::order::found::LockOrder;
use crate::table::moment::Moment;
use crate::table::watched::Watched;
use std::error::Error;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// Somebody who is told what happens where locks are waited for.
///
/// It is called by the thread that waits, while that has no mutex of this crate, and so it must not
/// block; of what still lasts, by a thread of its own. A panic of it is printed and ends there. Locks
/// that it takes itself are not observed.
///
/// # Examples
///
/// ```
/// use lockutils::observe::{self, Event, Observer};
///
/// struct Log;
///
/// impl Observer for Log {
///     fn event(&self, event: &Event<'_>) {
///         if let Event::WaitEnd(wait, outcome, time) = event {
///             println!("{}/{}: {outcome:?} after {time:?}", wait.space(), wait.key());
///         }
///     }
/// }
///
/// observe::set_observer(&Log).expect("nobody else has set one");
/// ```
pub trait Observer: Send + Sync {
    /// Is told of an event.
    fn event(&self, event: &Event<'_>);
}

static OBSERVER: OnceLock<&'static dyn Observer> = OnceLock::new();

/// There is an observer already, and a process has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadySet;

impl fmt::Display for AlreadySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an observer of locks is set already; a process has one")
    }
}

impl Error for AlreadySet {}

/// Sets who is told what happens where locks are waited for, from now on, for the rest of the
/// process. From then on [`stats`](crate::stats()) are counted, too.
///
/// What has nobody waiting costs the same as before; a wait costs some tenths of a microsecond more.
///
/// # Errors
///
/// If there is one already.
pub fn set_observer(observer: &'static dyn Observer) -> Result<(), AlreadySet> {
    OBSERVER.set(observer).map_err(|_| AlreadySet)?;
    costs::begin(Listeners::OBSERVER);
    Ok(())
}

fn tell(event: &Event<'_>) {
    if let Some(observer) = OBSERVER.get() {
        deafly(|| foreign::contain(|| observer.event(event)));
    }
}

/// Calls the subscriber of `tracing`, which is foreign code as an observer is.
#[cfg(feature = "tracing")]
fn trace(call: impl FnOnce()) {
    deafly(|| foreign::contain(call));
}

/// A wait has begun in a space of this name that is counted.
pub(crate) fn counted_wait_begins(space: u64) {
    #[cfg(feature = "metrics")]
    facade::wait_begins(space);
    #[cfg(not(feature = "metrics"))]
    let _ = space;
}

/// A wait has begun of which more is to be told than how long it is.
pub(crate) fn wait_begins(watched: &mut Watched) {
    #[cfg(feature = "tracing")]
    if watched.listeners.has(Listeners::TRACING) {
        trace(|| spans::begin(watched));
    }
    if watched.listeners.has(Listeners::OBSERVER) {
        tell(&Event::WaitBegin(&Wait::new(watched)));
    }
}

/// It has ended.
pub(crate) fn wait_ends(watched: &mut Watched, outcome: Outcome, at: Moment) {
    let time = watched.since.until(at);
    if watched.listeners.has(Listeners::OBSERVER) {
        tell(&Event::WaitEnd(&Wait::new(watched), outcome, time));
    }
    #[cfg(feature = "tracing")]
    if watched.listeners.has(Listeners::TRACING) {
        trace(|| spans::end(watched, outcome, time));
    }
}

/// A wait has lasted for long.
pub(crate) fn long_wait(watched: &Watched, time: Duration) {
    #[cfg(feature = "tracing")]
    trace(|| spans::long_wait(watched, time));
    tell(&Event::LongWait(&Wait::new(watched), time));
}

/// A waiter that could have had the lock for long hasn't come.
pub(crate) fn not_polled(watched: &Watched, time: Duration) {
    #[cfg(feature = "tracing")]
    trace(|| spans::not_polled(watched, time));
    tell(&Event::NotPolled(&Wait::new(watched), time));
}

/// A lock has been held for long, or no longer is.
pub(crate) fn long_hold(hold: &Hold<'_>, time: Duration) {
    #[cfg(feature = "tracing")]
    trace(|| spans::long_hold(hold, time));
    tell(&Event::LongHold(hold, time));
}

/// A lock of a server was lost while it was held.
pub(crate) fn lost(loss: &Loss<'_>, space: u64) {
    costs::lost(space);
    #[cfg(feature = "tracing")]
    trace(|| spans::lost(loss));
    tell(&Event::Lost(loss));
}

/// There is a deadlock, or there may be one.
pub(crate) fn deadlock(deadlock: &Deadlock, is_certain: bool) {
    if listeners().is_none() {
        return;
    }
    costs::deadlocked(is_certain);
    #[cfg(feature = "tracing")]
    trace(|| spans::deadlock(deadlock));
    tell(&Event::Deadlock(deadlock));
}

/// Locks are taken in two orders.
pub(crate) fn lock_order(order: &LockOrder) {
    if listeners().is_none() {
        return;
    }
    costs::misordered();
    #[cfg(feature = "tracing")]
    trace(|| spans::lock_order(order));
    tell(&Event::LockOrder(order));
}
