//! When a process gives way to others.
//!
//! A server may not be [fair](crate::Shape::fair): whoever asks while the lock is free has it. The next one of this process
//! asks right behind the release, and so before all others, who have to be told of it first; a process
//! whose threads take a lock in turns would keep them out for ever. So once it has had a lock for
//! [`RUN`] without a break, its next one waits until the release is answered, and then for as long as
//! others need to be told and to ask.

use std::collections::BTreeMap;

/// How long a process takes a lock again and again, before it gives way.
const RUN: u64 = 100_000_000;

/// After this time since the last release, it isn't one that takes it again and again.
const BREAK: u64 = 10_000_000;

/// How long it gives way.
const SHORTEST: u64 = 1_000_000;
const LONGEST: u64 = 50_000_000;

/// The present runs of locks, by their names.
#[derive(Debug, Default)]
pub(super) struct Runs(BTreeMap<String, Run>);

/// A time in which a lock was had by this process without a break.
#[derive(Debug)]
struct Run {
    since: u64,
    /// When the release of the last one was asked for; `None` while somebody has it.
    released: Option<u64>,
    /// Until when the process gives way.
    pause: Option<u64>,
}

impl Runs {
    /// Until when the process gives way to others that want the lock.
    pub(super) fn pause(&mut self, now: u64, name: &str) -> Option<u64> {
        let run = self.0.get(name)?;
        let goes_on = match (run.pause, run.released) {
            (Some(pause), _) if now < pause => return Some(pause),
            (Some(_), _) => false,
            (None, Some(released)) => now.saturating_sub(released) < BREAK,
            (None, None) => true,
        };
        if !goes_on {
            self.0.remove(name);
        }
        None
    }

    /// Whether the process has had the lock for long enough, and is releasing it.
    pub(super) fn are_long(&self, now: u64, name: &str) -> bool {
        let is_long = |run: &Run| run.released.is_some() && now.saturating_sub(run.since) >= RUN;
        self.0.get(name).is_some_and(is_long)
    }

    /// The process has the lock.
    pub(super) fn begin(&mut self, now: u64, name: &str, names: usize) {
        if let Some(run) = self.0.get_mut(name) {
            run.released = None;
            return;
        }
        if self.0.len() > 64 + 2 * names {
            self.0.retain(|_, run| {
                let last = run.pause.max(run.released);
                last.is_none_or(|last| now < last.saturating_add(BREAK))
            });
        }
        let run = Run {
            since: now,
            released: None,
            pause: None,
        };
        self.0.insert(name.to_owned(), run);
    }

    /// The release is asked for.
    pub(super) fn release(&mut self, now: u64, name: &str) {
        if let Some(run) = self.0.get_mut(name) {
            run.released.get_or_insert(now);
        }
    }

    /// The release is answered: if that was long enough, the process gives way.
    pub(super) fn released(&mut self, now: u64, name: &str) {
        if !self.are_long(now, name) {
            return;
        }
        if let Some(run) = self.0.get_mut(name) {
            let trip = now.saturating_sub(run.released.unwrap_or(now));
            let pause = trip.saturating_mul(2).clamp(SHORTEST, LONGEST);
            run.pause.get_or_insert(now.saturating_add(pause));
        }
    }
}
