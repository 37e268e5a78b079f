//! Waits for locks as spans and events of the crate `tracing`.
//!
//! A span goes from the begin of a wait to its end, and is a child of the one that the waiter is in.
//! It isn't entered: what others do meanwhile is no part of it. What lasts is an event.

use super::event::{Hold, Loss};
use super::outcome::Outcome;
use crate::deadlock::Deadlock;
use crate::holder::Holder;
use crate::lasted::Lasted;
use crate::name::LockName;
use crate::order::found::LockOrder;
use crate::table::policy::Mode;
use crate::table::watched::{Details, Watched};
use std::panic::Location;
use std::time::Duration;
use tracing::field::{self, Empty};
use tracing::{Span, debug_span, error, info, warn};

/// A wait has begun.
pub(super) fn begin(watched: &mut Watched) {
    let details = &watched.details;
    let site = || details.who().site();
    let location = || site().map(|site| site.location());
    let mode = match watched.mode {
        Mode::Exclusive => "exclusive",
        Mode::Shared => "shared",
    };
    watched.span = debug_span!(
        target: "lockutils",
        "lock.wait",
        lockutils.space = watched.space(),
        lockutils.key = watched.key.as_str(),
        lockutils.mode = mode,
        lockutils.ahead = details.ahead,
        lockutils.holder = holder(details).map(field::display),
        lockutils.outcome = Empty,
        code.function.name = site().and_then(|site| site.function()),
        code.file.path = location().map(Location::file),
        code.line.number = location().map(Location::line),
    );
}

/// A wait has ended.
pub(super) fn end(watched: &mut Watched, outcome: Outcome, time: Duration) {
    watched.span.record("lockutils.outcome", outcome.name());
    if watched.was_long && outcome == Outcome::Acquired {
        let waited_secs = time.as_secs_f64();
        let lock = lock(watched);
        let time = Lasted(time);
        info!(target: "lockutils", parent: &watched.span, waited_secs, "got lock {lock} after {time}");
    }
    watched.span = Span::none();
}

/// A wait has lasted for long.
pub(super) fn long_wait(watched: &Watched, time: Duration) {
    let waited_secs = time.as_secs_f64();
    let lock = lock(watched);
    let holder = holder(&watched.details);
    let has = holder.map_or_else(String::new, |holder| format!(", {}", holder.has()));
    warn!(target: "lockutils", waited_secs, "still waiting for lock {lock}{has}");
}

/// A waiter that could have had the lock for long hasn't come.
pub(super) fn not_polled(watched: &Watched, time: Duration) {
    let (lock, has) = (lock(watched), watched.details.who().has());
    let waited_secs = time.as_secs_f64();
    warn!(target: "lockutils", waited_secs, "lock {lock}, {has}");
}

/// A lock has been held for long, or no longer is.
pub(super) fn long_hold(hold: &Hold<'_>, time: Duration) {
    let Hold {
        space, key, who, ..
    } = *hold;
    let lock = LockName { space, key };
    let held_secs = time.as_secs_f64();
    let time = Lasted(time);
    if hold.has_ended() {
        info!(target: "lockutils", held_secs, "lock {lock} released after {time} by {who}");
    } else {
        warn!(target: "lockutils", held_secs, "lock {lock} held for {time} by {who}");
    }
}

/// A lock of a server was lost while it was held.
pub(super) fn lost(loss: &Loss<'_>) {
    let Loss {
        space,
        key,
        who,
        reason,
        ..
    } = *loss;
    let lock = LockName { space, key };
    error!(target: "lockutils", "lock {lock} was lost: {reason}; it was held by {who}");
}

/// There is a deadlock, or there may be one.
pub(super) fn deadlock(deadlock: &Deadlock) {
    error!(target: "lockutils", "deadlock\n{deadlock}");
}

/// Locks are taken in two orders.
pub(super) fn lock_order(order: &LockOrder) {
    warn!(target: "lockutils", "{order}");
}

fn lock(watched: &Watched) -> LockName<'_> {
    let (space, key) = (watched.space(), &watched.key);
    LockName { space, key }
}

fn holder(details: &Details) -> Option<&Holder> {
    details.holders().first()
}
