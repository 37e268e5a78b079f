//! When a process gives way to others.
//!
//! The kernel has no queue that another process could join: the first process that asks while
//! the lock is free has it. A process that asks for it again at once would so keep out all who need
//! time to be woken, or who look now and then. Three things keep that within bounds:
//!
//! - Inside the process the lock goes from one to the next without the kernel until the
//!   kernel's clock has ticked, which is at most ten milliseconds, and on most machines four.
//!   Then it is released, and the process gives way for [`PAUSE`], which is enough for one that
//!   waits in the kernel to be woken.
//! - A process that is about to wait in the kernel leaves a mark in the file, see [`record`](super::record).
//!   A process that takes it and sees that others have written to it gives way as well, after
//!   [`BARGE`], and again for twice as long where nobody has come meanwhile, [`PAUSES`] times.
//! - Beside Python's programs, which look every 10 to 100 ms, a process that has the lock for
//!   more than three quarters of [`RUN`] gives way for a quarter of the time: after longer
//!   holds for longer, but not beyond [`LOOK`], when all have looked.

use super::sys::{KernelLocks as _, Os, Tick};
use std::time::{Duration, Instant};

/// How long the process gives way after that.
const PAUSE: Duration = Duration::from_micros(100);

/// How often it gives way, each time for twice as long, before others that don't come are
/// thought to have gone. The last time is 12.8 ms.
const PAUSES: u32 = 8;

/// How long a process takes the lock again and again although others are about.
const BARGE: Duration = Duration::from_millis(1);

/// For how much of its time a process has a lock that it shares with Python's programs.
const RUN: Duration = Duration::from_millis(40);

/// How often Python's programs look at least.
const LOOK: Duration = Duration::from_millis(100);

/// How long a process has had a lock, and when it lets others go first.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the lock was first handed on inside the process.
    kept_since: Option<Tick>,
    /// Since when others are about.
    others: Option<Instant>,
    /// Until when the process gives way.
    pause: Option<Instant>,
    /// How often it has done so since it has seen others.
    pauses: u32,
    /// The present run beside Python's programs.
    run: Option<Run>,
}

/// A time in which the process had the lock again and again.
#[derive(Debug)]
struct Run {
    start: Instant,
    taken: Instant,
    released: Instant,
    /// How long it had the lock in all.
    held: Duration,
}

impl Pace {
    /// Until when the process gives way, if it does.
    pub(super) fn pause(&mut self) -> Option<Instant> {
        self.pause = self.pause.filter(|until| *until > Instant::now());
        self.pause
    }

    /// Whether the lock may go to another one in the process without the kernel.
    pub(super) fn may_be_kept(&mut self) -> bool {
        let now = Os::tick();
        if *self.kept_since.get_or_insert(now) == now {
            return true;
        }
        self.give_way(Instant::now());
        false
    }

    /// The lock goes to nobody in the process.
    pub(super) fn end(&mut self) {
        self.kept_since = None;
        if let Some(since) = self.others {
            let now = Instant::now();
            if now.duration_since(since) >= BARGE {
                self.give_way(now);
            }
        }
    }

    /// Others were found to use the file, or to wait for it.
    pub(super) fn others_are_about(&mut self, now: Instant) {
        self.others.get_or_insert(now);
        self.pauses = 0;
    }

    /// A waiter leaves one mark, and on a busy machine may not be woken in time for this pause.
    /// So others are about until one of them has come, or long enough has been left for them.
    fn give_way(&mut self, now: Instant) {
        let pauses = self.pauses + 1;
        let others = self.others.map(|_| now).filter(|_| pauses < PAUSES);
        *self = Self {
            pause: Some(now + PAUSE * (1 << self.pauses)),
            pauses: if others.is_some() { pauses } else { 0 },
            others,
            ..Self::default()
        };
    }

    /// The lock was taken beside Python's programs.
    pub(super) fn begin_hold(&mut self, now: Instant) {
        match &mut self.run {
            Some(run) if now.duration_since(run.released) < RUN / 4 => run.taken = now,
            run => {
                *run = Some(Run {
                    start: now,
                    taken: now,
                    released: now,
                    held: Duration::ZERO,
                });
            }
        }
    }

    /// That hold has ended.
    pub(super) fn end_hold(&mut self, now: Instant) {
        let Some(run) = &mut self.run else { return };
        run.released = now;
        run.held += now.duration_since(run.taken);
        if run.held < RUN * 3 / 4 {
            return;
        }
        let free = now.duration_since(run.start).saturating_sub(run.held);
        let owed = LOOK.min(run.held / 3);
        self.run = None;
        self.pause = owed.checked_sub(free).map(|rest| now + rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_is_kept_in_the_process_for_a_while() {
        let mut pace = Pace::default();
        let start = Instant::now();
        while pace.may_be_kept() {
            assert!(pace.pause().is_none());
        }
        // As often as it takes to see that it isn't the first time that does it.
        assert!(start.elapsed() > Duration::ZERO && pace.pause.is_some());
        assert!(pace.may_be_kept());
    }

    #[test]
    fn process_gives_way_some_time_after_it_has_seen_others() {
        let mut pace = Pace::default();
        pace.end();
        assert!(pace.pause().is_none());
        let seen = Instant::now();
        pace.others_are_about(seen);
        while pace.pause.is_none() {
            pace.end();
        }
        assert!(seen.elapsed() >= BARGE);
    }

    /// How often the process gives way to others that it saw at the beginning, and for how long
    /// in all.
    fn gives_way(pace: &mut Pace) -> (u32, Duration) {
        pace.others_are_about(Instant::now());
        let (mut pauses, mut all) = (0, Duration::ZERO);
        while pace.others.is_some() {
            let before = Instant::now();
            pace.end();
            if let Some(until) = pace.pause.take() {
                pauses += 1;
                all += until - before;
            }
        }
        (pauses, all)
    }

    #[test]
    fn process_gives_way_until_others_have_had_time_to_be_woken() {
        let mut pace = Pace::default();
        let (pauses, all) = gives_way(&mut pace);
        assert_eq!(pauses, PAUSES);
        assert!(all >= 255 * PAUSE, "{all:?}");
        // And so the next time.
        assert_eq!(gives_way(&mut pace).0, PAUSES);
    }

    /// Holds of so long, one after the other with so long between them, until the process
    /// gives way. How many it took, and for how long it gives way.
    fn holds(held: Duration, free: Duration) -> Option<(u32, Duration)> {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        (1..=100).find_map(|count| {
            pace.begin_hold(now);
            now += held;
            pace.end_hold(now);
            let pause = pace.pause.map(|until| (count, until - now));
            now += free;
            pause
        })
    }

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn process_that_has_the_lock_most_of_the_time_gives_way() {
        assert_eq!(
            holds(MILLISECOND, Duration::ZERO),
            Some((30, 10 * MILLISECOND))
        );
    }

    #[test]
    fn long_hold_is_followed_by_a_long_turn_for_others() {
        let nothing = Duration::ZERO;
        assert_eq!(
            holds(150 * MILLISECOND, nothing),
            Some((1, 50 * MILLISECOND))
        );
        assert_eq!(holds(Duration::from_mins(1), nothing), Some((1, LOOK)));
    }

    #[test]
    fn process_that_leaves_the_lock_free_goes_on() {
        assert_eq!(holds(MILLISECOND, MILLISECOND), None);
    }
}
