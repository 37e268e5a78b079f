//! A recording: all holds and waits of some time, by [`exact`](crate::table::exact) mode.
//!
//! Whenever there is much of them, it is taken out and drawn, as the next part of the picture: all that has
//! ended by some moment. So a recording may be as long as who reads it likes.

use super::carry::Carry;
use super::chrome::{self, Drawing};
use super::picture::Picture;
use super::recorder;
use super::rows::{Over, Row, Span, What, kept, kept_key};
use crate::costs;
use crate::key::Key;
use crate::name::Keys;
use crate::observe::listen::Listeners;
use crate::table::ears::Ears;
use crate::table::entry::look::GoingOn;
use crate::table::identity::name_part;
use crate::table::kept::Exact;
use crate::table::looks;
use crate::table::moment::Moment;
use crate::table::sample::Sample;
use std::io::{self, BufWriter, ErrorKind};
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

/// How many rows there are of the flight recorder, with those of what goes on.
const MOST: usize = 16 * 1024;

/// How much that goes on at the end of a part is seen there.
const OPEN: usize = 2048;

/// How long it is from one look at how much there is to the next.
const PAUSE: Duration = Duration::from_millis(2);

/// How much is written at once, in bytes.
const WRITTEN: usize = 64 * 1024;

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
    #[inline]
    fn default() -> Self {
        let time = Duration::from_secs(10);
        Self { time, one_in: 1 }
    }
}

impl RecordOptions {
    /// For how long.
    #[inline]
    pub const fn lasting(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Only one in so many keys, from 1, which are all, to 4096: in each process others, but each with all
    /// that happens to it. So the other keys cost what they cost without it.
    #[inline]
    pub const fn one_in(mut self, count: usize) -> Self {
        self.one_in = count;
        self
    }
}

/// What was recorded.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    holds: usize,
    waits: usize,
    dropped: u64,
    time: Duration,
}

impl Summary {
    /// How many holds there are in it.
    #[must_use]
    #[inline]
    pub const fn holds(&self) -> usize {
        self.holds
    }

    /// How many waits.
    #[must_use]
    #[inline]
    pub const fn waits(&self) -> usize {
        self.waits
    }

    /// How many holds and waits there was no room for, since they came faster than they were written.
    #[must_use]
    #[inline]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How long it was.
    #[must_use]
    #[inline]
    pub const fn lasted(&self) -> Duration {
        self.time
    }
}

/// Records who holds which lock and who waits, and when, and writes that as a timeline: Chrome's JSON,
/// which [Perfetto](https://ui.perfetto.dev) opens, and `chrome://tracing`. Blocks for as long as it records,
/// ten seconds unless the options say otherwise, and writes meanwhile, by this thread.
///
/// Meanwhile a lock that is free costs about twelve times as much to take and release, and only
/// while it lasts; with [`RecordOptions::one_in`] only some of them do. It takes at most 4 MiB of memory.
/// As long as the writer keeps up nothing is lost; what has no room is counted, here and by
/// `lockutils_events_dropped_total` of [`stats`](crate::stats()). A hold is some 130 bytes of text, so take a sample, or a
/// short time, where there are millions.
///
/// Where there is little, events are in the order of time. Else they are so in each part that was written
/// at once, and what has lasted for longer comes when it has ended, which both programs put in order.
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
pub fn record(to: impl io::Write, options: &RecordOptions) -> io::Result<Summary> {
    let recording = Recording::begin(options.one_in, Keys::Plain);
    let recording = recording.ok_or_else(|| {
        let text = "locks are being recorded already, and one recording at a time is";
        io::Error::new(ErrorKind::ResourceBusy, text)
    })?;
    let mut to = BufWriter::with_capacity(WRITTEN, to);
    write_on(recording, &mut to, options.time)
}

/// Records for so long, and writes.
#[inline]
fn write_on(
    mut recording: Recording,
    to: &mut dyn io::Write,
    time: Duration,
) -> io::Result<Summary> {
    let begin = Instant::now();
    let mut writer = Writer::begin(to)?;
    while let Some(left) = time
        .checked_sub(begin.elapsed())
        .filter(|left| !left.is_zero())
    {
        thread::sleep(left.min(PAUSE));
        if let Some(part) = recording.next_part() {
            writer.write(part)?;
        }
    }
    let one_in = recording.is_one_in();
    let (picture, summary) = recording.end();
    writer.write(picture)?;
    writer.end(one_in, &summary)?;
    Ok(summary)
}

impl Summary {
    /// Of a picture that is whole.
    #[inline]
    pub(crate) fn of(picture: &Picture) -> Self {
        let mut summary = Self::default();
        summary.add(picture);
        summary
    }

    /// So many of its holds and waits there was no room for.
    #[cfg(all(feature = "inspect", unix))]
    pub(crate) const fn drop_some(&mut self, (holds, waits): (usize, usize)) {
        self.holds -= holds;
        self.waits -= waits;
        self.dropped += (holds + waits) as u64;
    }

    #[inline]
    fn add(&mut self, part: &Picture) {
        let (holds, waits) = part.counts();
        self.holds += holds;
        self.waits += waits;
        self.time = part.span.from.until(part.span.to);
    }
}

/// Writes a picture, one part after the other.
struct Writer<'a> {
    to: &'a mut dyn io::Write,
    carry: Carry,
    is_first: bool,
}

impl<'a> Writer<'a> {
    #[inline]
    fn begin(to: &'a mut dyn io::Write) -> io::Result<Self> {
        to.write_all(chrome::HEAD.as_bytes())?;
        Ok(Self {
            to,
            carry: Carry::default(),
            is_first: true,
        })
    }

    #[inline]
    fn write(&mut self, part: Picture) -> io::Result<()> {
        let mut drawing = Drawing::new(part, mem::take(&mut self.carry));
        for event in drawing.by_ref() {
            let separator = if self.is_first { "\n" } else { ",\n" };
            self.is_first = false;
            self.to.write_all(separator.as_bytes())?;
            self.to.write_all(event.as_bytes())?;
        }
        self.carry = drawing.into_carry();
        Ok(())
    }

    #[inline]
    fn end(self, one_in: usize, summary: &Summary) -> io::Result<()> {
        let tail = chrome::tail(one_in, summary.dropped, summary.time);
        self.to.write_all(tail.as_bytes())?;
        self.to.flush()
    }
}

/// Writes a picture as a whole.
#[cfg_attr(
    not(feature = "inspect"),
    expect(dead_code, reason = "only who serves keeps what was last")
)]
#[inline]
pub(crate) fn write(picture: Picture, to: &mut dyn io::Write) -> io::Result<()> {
    let summary = Summary::of(&picture);
    let mut writer = Writer::begin(to)?;
    writer.write(picture)?;
    writer.end(1, &summary)
}

/// What goes on, as what it is of a hold, and of a wait.
#[inline]
fn lasting(one: &GoingOn, to: Moment, [hold, wait]: [What; 2]) -> Over {
    let what = if one.is_hold { hold } else { wait };
    let from = one.since;
    Over {
        record: one.record,
        mode: one.mode,
        span: Span { from, to },
        what,
    }
}

#[inline]
fn row((space, key): (u64, &Key), over: Over) -> Row {
    Row::new((name_part(space), kept_key(key.as_bytes())), over)
}

const AT_THE_END: [What; 2] = [What::LastingHold, What::LastingWait];
const OF_A_PART: [What; 2] = [What::OpenHold, What::OpenWait];

/// The picture of what the flight recorder has, and of what goes on where somebody waits.
#[cfg_attr(
    not(feature = "inspect"),
    expect(dead_code, reason = "only who serves keeps what was last")
)]
#[inline]
pub(crate) fn last(keys: Keys) -> Picture {
    looks::hand_on();
    let mut rows = recorder::last();
    let to = Moment::now();
    looks::going_on(
        Sample::one_in(1),
        &|entry| entry.queue_length() > 0,
        &mut |lock, one| {
            if rows.len() < MOST {
                rows.push(row(lock, lasting(&one, to, AT_THE_END)));
            }
        },
    );
    let first = rows.iter().map(|row| row.from).min();
    let mut picture = Picture {
        rows,
        span: Span {
            from: first.map_or(to, Moment::of_nanoseconds),
            to,
        },
        since: None,
        is_crowded: false,
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
    costs::begin(Listeners::RECORDER);
}

/// A recording that is going on. Without an [end](Self::end) nothing is left of it.
#[derive(Debug)]
pub(crate) struct Recording {
    exact: Option<Exact>,
    sample: Sample,
    from: Moment,
    keys: Keys,
    /// When the last part has ended, and what was taken out for it and ended later.
    since: Option<Moment>,
    later: Vec<Row>,
    /// Of the parts so far.
    summary: Summary,
}

impl Recording {
    /// Begins one, if none is going on.
    #[inline]
    pub(crate) fn begin(one_in: usize, keys: Keys) -> Option<Self> {
        let sample = Sample::one_in(one_in);
        if !recorder::begin(sample) {
            return None;
        }
        costs::begin(Listeners::RECORDER);
        let exact = Exact::begin(Ears::RECORDING, sample);
        Some(Self {
            exact: Some(exact),
            sample,
            // By now all buckets are kept: what has ended before isn't whole.
            from: recorder::begin_now(),
            keys,
            since: None,
            later: Vec::new(),
            summary: Summary::default(),
        })
    }

    #[inline]
    pub(crate) const fn is_one_in(&self) -> usize {
        self.sample.is_one_in()
    }

    /// What has ended by now, and not by the end of the last part; `None` if that isn't much yet.
    #[inline]
    pub(crate) fn next_part(&mut self) -> Option<Picture> {
        recorder::is_filling().then(|| self.part_by_now())
    }

    /// The same, however much that is.
    #[inline]
    pub(crate) fn part_by_now(&mut self) -> Picture {
        let to = Moment::now();
        let (mut open, mut is_crowded) = (Vec::new(), false);
        // Each shard is looked at. So a hold that has ended by that moment is told of when this is done, or
        // goes on here.
        looks::going_on(self.sample, &|_| true, &mut |lock, one| {
            is_crowded |= open.len() == OPEN;
            if !is_crowded {
                open.push(row(lock, lasting(&one, to, OF_A_PART)));
            }
        });
        let (mut rows, dropped) = recorder::take();
        rows.append(&mut self.later);
        let mut index = 0;
        while let Some(row) = rows.get(index) {
            if row.to > to.nanoseconds() {
                open.push(row.still_open(to));
                self.later.push(rows.swap_remove(index));
            } else {
                index += 1;
            }
        }
        rows.reserve_exact(open.len());
        rows.append(&mut open);
        self.part(rows, is_crowded, dropped, to)
    }

    /// Ends it. Gives the last part, and what there was in all of them.
    #[inline]
    pub(crate) fn end(mut self) -> (Picture, Summary) {
        let to = Moment::now();
        looks::going_on(
            self.sample,
            &|entry| entry.queue_length() > 0,
            &mut |lock, one| {
                // Of holds exact mode tells.
                if !one.is_hold {
                    recorder::waits_still(
                        (name_part(lock.0), &kept(lock.1.as_bytes())),
                        lasting(&one, to, AT_THE_END),
                    );
                }
            },
        );
        drop(self.exact.take());
        let (mut rows, dropped) = recorder::end();
        rows.append(&mut self.later);
        let picture = self.part(rows, false, dropped, to);
        (picture, self.summary.clone())
    }

    #[inline]
    fn part(&mut self, rows: Vec<Row>, is_crowded: bool, dropped: u64, to: Moment) -> Picture {
        let mut picture = Picture {
            rows,
            span: Span {
                from: self.from,
                to,
            },
            since: self.since.replace(to),
            is_crowded,
            keys: self.keys,
            is_seen: false,
        };
        picture.sort();
        costs::dropped(dropped);
        self.summary.dropped += dropped;
        self.summary.add(&picture);
        picture
    }
}

impl Drop for Recording {
    #[inline]
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
    use crate::alone::is_alone;
    use crate::forked::{fork, is_so_in_child};
    use crate::owner::Owner;
    use crate::site::{Record, Site};
    use crate::table::policy::Policy;
    use crate::table::{Hold, Name, SpaceId, fast};
    use std::panic;

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
        // A child of a fork has the mutexes of all threads that there were at that moment.
        let name = "child_of_who_records_has_its_locks_free_of_it";
        if !is_alone(&format!("{}::{name}", module_path!())) {
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
                let (picture, _) = own.end();
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
