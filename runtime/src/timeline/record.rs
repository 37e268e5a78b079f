//! A recording: all holds and waits of some time, by [`exact`](crate::table::exact) mode.

use super::chrome::{self, Drawing};
use super::picture::Picture;
use super::recorder;
use super::rows::{Over, Row, Span, What, kept_key};
use crate::costs;
use crate::name::Keys;
use crate::observe::listen::{Listeners, listen};
use crate::table::ears::Ears;
use crate::table::entry::look::GoingOn;
use crate::table::identity::name_part;
use crate::table::kept::Exact;
use crate::table::looks;
use crate::table::moment::Moment;
use crate::table::sample::Sample;
use std::io::{self, ErrorKind};
use std::thread;
use std::time::Duration;

/// How many rows there are of the flight recorder, with those of what goes on.
const MOST: usize = 16 * 1024;

/// What is recorded, and for how long: all locks, for ten seconds, unless it is said otherwise.
///
/// # Examples
///
/// ```
/// use lockutils::observe::RecordOptions;
/// use std::time::Duration;
///
/// let options = RecordOptions::default().lasting(Duration::from_secs(60)).one_in(128);
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is for `record`"]
pub struct RecordOptions {
    time: Duration,
    one_in: usize,
}

impl Default for RecordOptions {
    fn default() -> Self {
        let time = Duration::from_secs(10);
        Self { time, one_in: 1 }
    }
}

impl RecordOptions {
    /// For how long. As much as there is room for is recorded, from the beginning on.
    pub const fn lasting(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Only one in so many keys, from 1, which are all, to 4096: in each process others, but each with all
    /// that happens to it. So the other keys cost what they cost without it.
    pub const fn one_in(mut self, count: usize) -> Self {
        self.one_in = count;
        self
    }
}

/// What was recorded.
#[derive(Clone, Debug)]
pub struct Summary {
    holds: usize,
    waits: usize,
    dropped: u64,
    time: Duration,
}

impl Summary {
    /// How many holds there are in it.
    #[must_use]
    pub const fn holds(&self) -> usize {
        self.holds
    }

    /// How many waits.
    #[must_use]
    pub const fn waits(&self) -> usize {
        self.waits
    }

    /// How many holds and waits there was no room for, the last ones.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How long it was.
    #[must_use]
    pub const fn lasted(&self) -> Duration {
        self.time
    }
}

/// Records who holds which lock and who waits, and when, and writes that as a timeline: Chrome's JSON,
/// which [Perfetto](https://ui.perfetto.dev) opens, and `chrome://tracing`. Blocks for as long as it records,
/// ten seconds unless the options say otherwise, and then writes.
///
/// Meanwhile a lock that is free costs about fourteen times as much to take and release, and only
/// while it lasts; with [`RecordOptions::one_in`] only some of them do. It takes at most 4 MiB of memory,
/// in which some thirteen thousand holds have room, and five thousand waits. What has none is counted, here and by
/// `lockutils_events_dropped_total` of [`stats`](crate::stats()).
///
/// The beginning of a hold or a wait that was there before is not known, nor is the end of what
/// goes on: those are cut, and holds marked `"held": "at least"`. A wait that has begun before anybody
/// [listened](crate::observe), and ends meanwhile, is missing. In a process that is forked from this one meanwhile
/// nothing is recorded, and locks cost so much until one of the same part of them has been taken. Of a lock file it has what
/// happens in this process: who waits for another one at the end of the recording is a holder there.
///
/// # Errors
///
/// The writer's; and [`ResourceBusy`](ErrorKind::ResourceBusy) if somebody records already, which is found
/// before it blocks.
///
/// # Examples
///
/// ```
/// use lockutils::observe::{self, RecordOptions};
/// use std::time::Duration;
///
/// let mut trace = Vec::new(); // or a `File`
/// let options = RecordOptions::default().lasting(Duration::from_millis(50));
/// let summary = observe::record(&mut trace, &options)?;
/// println!("{} holds, {} waits", summary.holds(), summary.waits());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn record(mut to: impl io::Write, options: &RecordOptions) -> io::Result<Summary> {
    let recording = Recording::begin(options.one_in, Keys::Plain);
    let recording = recording.ok_or_else(|| {
        let text = "locks are being recorded already, and one recording at a time is";
        io::Error::new(ErrorKind::ResourceBusy, text)
    })?;
    thread::sleep(options.time);
    let picture = recording.end();
    let summary = Summary::of(&picture);
    let written = write(picture, &mut to);
    written.map(|()| summary)
}

impl Summary {
    pub(crate) fn of(picture: &Picture) -> Self {
        let (holds, waits) = picture.counts();
        Self {
            holds,
            waits,
            dropped: picture.dropped,
            time: picture.span.from.until(picture.span.to),
        }
    }
}

/// Writes a picture as a whole.
pub(crate) fn write(picture: Picture, to: &mut dyn io::Write) -> io::Result<()> {
    to.write_all(chrome::head(&picture).as_bytes())?;
    for (number, event) in Drawing::new(picture).enumerate() {
        let separator = if number == 0 { "\n" } else { ",\n" };
        to.write_all(separator.as_bytes())?;
        to.write_all(event.as_bytes())?;
    }
    to.write_all(chrome::TAIL.as_bytes())?;
    to.flush()
}

/// What goes on.
fn lasting(one: &GoingOn, to: Moment) -> Over {
    let what = if one.is_hold {
        What::LastingHold
    } else {
        What::LastingWait
    };
    let from = one.since;
    Over {
        record: one.record,
        mode: one.mode,
        span: Span { from, to },
        what,
    }
}

/// The picture of what the flight recorder has, and of what goes on where somebody waits.
#[cfg_attr(
    not(feature = "inspect"),
    expect(dead_code, reason = "only who serves keeps what was last")
)]
pub(crate) fn last(keys: Keys) -> Picture {
    let mut rows = recorder::last();
    let to = Moment::now();
    looks::going_on(Sample::one_in(1), |(space, key), one| {
        if rows.len() < MOST {
            let lock = (name_part(space), kept_key(key));
            rows.push(Row::new(lock, lasting(&one, to)));
        }
    });
    let first = rows.iter().map(|row| row.from).min();
    let mut picture = Picture {
        rows,
        span: Span {
            from: first.map_or(to, Moment::of_nanoseconds),
            to,
        },
        one_in: 1,
        dropped: 0,
        keys,
        is_seen: true,
    };
    picture.sort();
    picture
}

/// The flight recorder begins to keep waits, and goes on with that.
#[cfg_attr(
    not(feature = "inspect"),
    expect(dead_code, reason = "only who serves keeps what was last")
)]
pub(crate) fn keep_last() {
    recorder::keep_last();
    listen(Listeners::COUNTS.and(Listeners::RECORDER));
}

/// A recording that is going on. Without an [end](Self::end) nothing is left of it.
#[derive(Debug)]
pub(crate) struct Recording {
    exact: Option<Exact>,
    sample: Sample,
    from: Moment,
    keys: Keys,
}

impl Recording {
    /// Begins one, if none is going on.
    pub(crate) fn begin(one_in: usize, keys: Keys) -> Option<Self> {
        let sample = Sample::one_in(one_in);
        if !recorder::begin(sample) {
            return None;
        }
        listen(Listeners::COUNTS.and(Listeners::RECORDER));
        let exact = Exact::begin(Ears::RECORDING, sample);
        Some(Self {
            exact: Some(exact),
            sample,
            // By now all buckets are kept: what has ended before isn't whole.
            from: Moment::now(),
            keys,
        })
    }

    /// Ends it.
    pub(crate) fn end(mut self) -> Picture {
        let to = Moment::now();
        looks::going_on(self.sample, |(space, key), one| {
            // Of holds exact mode tells.
            if !one.is_hold {
                recorder::waits_still((name_part(space), key), lasting(&one, to));
            }
        });
        drop(self.exact.take());
        let (rows, dropped) = recorder::end();
        costs::dropped(dropped);
        let mut picture = Picture {
            rows,
            span: Span {
                from: self.from,
                to,
            },
            one_in: self.sample.is_one_in(),
            dropped,
            keys: self.keys,
            is_seen: false,
        };
        picture.sort();
        picture
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if self.exact.take().is_some() {
            recorder::end();
        }
    }
}

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests {
    use super::*;
    use crate::Locks;
    use crate::forked::{fork, is_so_in_child};
    use crate::owner::Owner;
    use crate::site::{Record, Site};
    use crate::table::policy::Policy;
    use crate::table::{Hold, Name, SpaceId, fast};
    use std::process::Command;
    use std::{env, panic};

    /// Has the test be alone in its process, since a child of a fork has the mutexes of all threads that
    /// it had that moment.
    const ALONE: &str = "LOCKUTILS_TEST_ALONE";

    static LOCKS: Locks = Locks::new("of a child");

    fn is_fast(key: &str) -> bool {
        let policy = Policy {
            permits: 1,
            fair: false,
        };
        let number = LOCKS.number();
        let name = Name::new(SpaceId { number, policy }, key.as_bytes());
        let (owner, site) = (Owner::thread(), Site::here());
        let taken = fast::try_take_thin(name, Record { owner, site });
        taken.map(Hold::thin).is_some()
    }

    #[test]
    fn child_of_who_records_has_its_locks_free_of_it() {
        if env::var_os(ALONE).is_none() {
            let name = "timeline::record::tests::child_of_who_records_has_its_locks_free_of_it";
            let mut alone = Command::new(env::current_exe().unwrap());
            alone.args(["--exact", name]).env(ALONE, "1");
            let output = alone.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            return;
        }
        assert!(is_fast("key"));
        let recording = Recording::begin(1, Keys::Plain).expect("nobody records");
        assert!(!is_fast("key"));
        let is_so = is_so_in_child(fork, || {
            let is_so = panic::catch_unwind(|| {
                assert!(!is_fast("key"));
                drop(LOCKS.key("key").lock());
                assert!(is_fast("key"));
                // Another part of the locks than the parent has, of which some are left.
                let own = Recording::begin(2, Keys::Plain).expect("the child doesn't record");
                let picture = own.end();
                assert!(picture.rows.is_empty());
                assert!(is_fast("key"));
                assert!((0..1000).all(|number| is_fast(&number.to_string())));
            });
            is_so.is_ok()
        });
        assert!(is_so);
        assert!(!is_fast("key"));
        drop(recording);
        assert!(is_fast("key"));
    }
}
