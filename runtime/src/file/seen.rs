//! What a process knows of a lock file that it takes again and again, so that it need not look at all
//! of it each time: which name has [`Led`] there, and what is written in it.
//!
//! What is written is [`Seen`] to be the same in one of two ways. To read it always tells. Where the
//! file system says when the file was changed last, that tells as well, and comes with what is
//! looked at in any case; but two changes between two ticks of the kernel's clock have one time. So a time of
//! change is believed only if the clock was beyond it when the file was read: whatever was changed
//! since has a later one. Only a write that had got its time before, and whose bytes have come afterwards, is not
//! seen: that of a process that was stopped in the kernel, while it left a mark. It is seen when the record is
//! written anew.

use super::descriptor::Descriptor;
use super::link::Link;
use super::record::Content;
use super::sys::{Files as _, Glance, Os, Tick};
use crate::site::Site;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// For how long after a file was at its path it is only asked whether it still has a name,
/// which is much faster. Who moves a lock file elsewhere, and doesn't remove it, may within
/// that time have somebody beside the process that locks it over and over.
const GLANCE: Duration = Duration::from_micros(100);

/// How long it is at most from one hold to the next, if nobody has removed the file in the first: that is a system
/// call, which takes microseconds.
const BRIEF: Duration = Duration::from_nanos(500);

/// How long a record says when the lock was taken, where the same place in the code takes it
/// again and again.
const FRESH: Duration = Duration::from_millis(50);

/// The name that has led to the file last, and until when it is believed to.
#[derive(Debug)]
pub(super) struct Led {
    link: Weak<Link>,
    until: Instant,
}

/// What is known of the record since somebody has looked.
#[derive(Debug)]
pub(super) struct Seen {
    /// Where in the code it says the lock was taken, and until when it says well enough when that was.
    pub(super) site: Site,
    until: Instant,
    /// What was in the file then.
    content: Option<Content>,
    /// When the file was changed last, if every change since has another time.
    settled: Option<Tick>,
}

impl Led {
    /// It has led here just now.
    pub(super) fn new(link: &Arc<Link>, now: Instant) -> Self {
        Self {
            link: Arc::downgrade(link),
            until: now + GLANCE,
        }
    }

    /// The same name has led here once more.
    pub(super) fn again(&mut self, now: Instant) {
        self.until = now + GLANCE;
    }

    pub(super) fn is_by(&self, link: &Arc<Link>) -> bool {
        self.link.as_ptr() == Arc::as_ptr(link)
    }

    /// Whether the name led here so lately that the file need only be asked whether it still
    /// has one.
    pub(super) fn is_believed(&self, link: &Arc<Link>, now: Instant) -> bool {
        self.is_by(link) && now < self.until
    }
}

/// Whether the time from one hold to the next was too short for a removal, by one look at the clock for each. No time at
/// all tells nothing: it may be as long as it takes a coarse clock to tick.
pub(super) fn is_brief(apart: Duration) -> bool {
    !apart.is_zero() && apart < BRIEF
}

impl Seen {
    /// Writes down who has just taken the lock, in a file that has `content` in it.
    pub(super) fn new(
        descriptor: &Descriptor,
        site: Site,
        content: Option<&Content>,
        now: Instant,
    ) -> Self {
        Self {
            site,
            until: now + FRESH,
            content: descriptor.record(site, content),
            settled: None,
        }
    }

    /// Writes down who has the lock next.
    pub(super) fn record(&mut self, descriptor: &Descriptor, site: Site) {
        self.site = site;
        self.content = descriptor.record(site, self.content.as_ref());
        self.settled = None;
    }

    /// Whether the record may stay for who takes the lock now.
    pub(super) fn is_fresh(&self, site: Site, now: Instant) -> bool {
        now < self.until && self.site == site
    }

    /// Whether that is what was in the file.
    pub(super) fn is(&self, content: Option<&Content>) -> bool {
        content.is_some() && self.content.as_ref() == content
    }

    /// Whether it is still in the file, which was just glanced at.
    pub(super) fn is_unchanged(&mut self, descriptor: &Descriptor, glance: Glance) -> bool {
        self.settled == Some(glance.changed) || self.is_read(descriptor, glance)
    }

    fn is_read(&mut self, descriptor: &Descriptor, glance: Glance) -> bool {
        let present = Os::present(); // Before it is read.
        let is_same = self.is(descriptor.content().as_ref());
        let is_told = is_same && descriptor.tells_changes;
        self.settled = settled(glance.changed, present).filter(|_| is_told);
        is_same
    }
}

/// The time of the last change to a file that was read when that was the present, if each
/// change since has a later one.
fn settled(changed: Tick, present: Tick) -> Option<Tick> {
    // A file system that knows seconds alone has no part of one.
    let present = match changed {
        (_, 0) => (present.0, 0),
        _ => present,
    };
    (changed < present).then_some(changed)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn holds_between_two_ticks_of_a_clock_are_not_brief() {
        assert!(!is_brief(Duration::ZERO));
        assert!(is_brief(Duration::from_nanos(1)));
        assert!(!is_brief(BRIEF));
    }

    /// What happens to a file, and to the clock.
    #[derive(Clone, Debug)]
    enum Step {
        /// A tick, so many nanoseconds later: a millisecond at least.
        Tick(i64),
        Write,
        /// A glance, so many changes or ticks, and then a read of what is there.
        Look(Vec<Step>),
    }

    /// A file of a file system whose times have so many nanoseconds at least.
    struct World {
        unit: i64,
        now: i64,
        changed: Tick,
        version: u32,
    }

    const SECOND: i64 = 1_000_000_000;

    impl World {
        fn time(&self, unit: i64) -> Tick {
            let now = self.now - self.now % unit;
            (now / SECOND, now % SECOND)
        }

        fn go_on(&mut self, steps: &[Step]) {
            for step in steps {
                self.go(step);
            }
        }

        fn go(&mut self, step: &Step) {
            match step {
                Step::Tick(length) => self.now += length,
                Step::Write => {
                    self.version += 1;
                    self.changed = self.time(self.unit);
                }
                Step::Look(_) => {}
            }
        }
    }

    /// Whether what was read is what is there, each time that the time of change says so. The last step
    /// is a look.
    fn is_right(steps: &[Step], unit: i64, settled: fn(Tick, Tick) -> Option<Tick>) -> bool {
        let mut world = World {
            unit,
            now: SECOND / 2,
            changed: (0, 0),
            version: 0,
        };
        let mut seen = (None, 0);
        steps.iter().all(|step| {
            world.go(step);
            let Step::Look(meanwhile) = step else {
                return true;
            };
            let changed = world.changed;
            if seen.0 == Some(changed) {
                return seen.1 == world.version;
            }
            let (before, after) = meanwhile.split_at(meanwhile.len() / 2);
            world.go_on(before);
            let present = world.time(1);
            world.go_on(after);
            seen = (settled(changed, present), world.version);
            true
        })
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = || {
            prop_oneof![
                (SECOND / 1000..SECOND / 2).prop_map(Step::Tick),
                Just(Step::Write),
                Just(Step::Write),
            ]
        };
        let look = prop::collection::vec(step(), 0..4).prop_map(Step::Look);
        prop::collection::vec(prop_oneof![step(), look], 1..30)
    }

    fn holds(settled: fn(Tick, Tick) -> Option<Tick>) -> bool {
        use proptest::test_runner::{Config, TestRunner};
        let mut runner = TestRunner::new_with_rng(
            Config {
                failure_persistence: None,
                ..Config::with_cases(3000)
            },
            proptest::test_runner::TestRng::deterministic_rng(
                proptest::test_runner::RngAlgorithm::ChaCha,
            ),
        );
        let units = prop_oneof![Just(1), Just(SECOND)];
        let result = runner.run(&(steps(), units), |(steps, unit)| {
            prop_assert!(is_right(&steps, unit, settled));
            Ok(())
        });
        result.is_ok()
    }

    #[test]
    fn time_of_change_is_believed_only_if_it_tells_of_each() {
        assert!(holds(settled));
        // So it does not where the clock has not ticked since, nor where a second counts as its beginning.
        assert!(!holds(
            |changed, present| (changed <= present).then_some(changed)
        ));
        assert!(!holds(
            |changed, present| (changed < present).then_some(changed)
        ));
    }

    #[test]
    fn file_that_was_left_alone_for_a_tick_is_not_read_again() {
        assert_eq!(settled((7, 4), (7, 5)), Some((7, 4)));
        assert_eq!(settled((7, 0), (8, 0)), Some((7, 0)));
        assert_eq!(settled((7, 4), (7, 4)), None);
        assert_eq!(settled((7, 0), (7, 5)), None);
    }
}
