//! Keeps holds and waits that are over, for a recording and for the flight recorder.
//!
//! Those who have just released are not to wait for each other here, so the holds of a recording are
//! in several parts, each with a mutex of its own. Waits are rare, and are in one. They come in [runs](Run),
//! each of one lock, of which the lock or its shard has the last one still.
//!
//! Who records takes them out again and again. What has no room meanwhile is counted, and left out.
//! The flight recorder forgets the oldest.

use super::rows::{Over, Row, Rows, Run, Runs, Span, What, kept};
use crate::process;
use crate::sync::{Mutex, statics};
use crate::table::exact::{Listener, Told};
use crate::table::identity::name_part;
use crate::table::moment::Moment;
use crate::table::sample::Sample;
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many parts the holds of a recording are in.
const PARTS: usize = if cfg!(all(test, loom)) { 1 } else { 16 };

/// How much of a recording is holds, in bytes, and how much waits, that nobody has taken out. With as much that
/// is being drawn, and what that takes, it is less than 4 MiB.
const HOLDS: usize = 640 * 1024;
const WAITS: usize = 256 * 1024;

/// How many waits and holds the flight recorder keeps, and in how much room. With what the shards have still, some
/// 2.5 KiB each at most, and with the [counts](crate::costs) it is less than 1 MiB, but for what a lock has with its
/// queue while somebody waits for it.
const LAST: usize = 8192;
const ROOM_OF_LAST: usize = 480 * 1024;

/// One part, which shares no cache line with another.
#[repr(align(128))]
struct Part(Mutex<Rows>);

#[cfg(not(all(test, loom)))]
static PARTS_OF_HOLDS: [Part; PARTS] = [const { Part(Mutex::new(Rows::new())) }; PARTS];

#[cfg(all(test, loom))]
loom::lazy_static! {
    static ref PARTS_OF_HOLDS: [Part; PARTS] =
        std::array::from_fn(|_| Part(Mutex::new(Rows::new())));
}

/// All of them.
fn parts() -> impl Iterator<Item = &'static Part> {
    (0..PARTS).map(|part| &PARTS_OF_HOLDS[part])
}

statics! {
    static STORE: Mutex<Store> = Mutex::new(Store {
        recorded: None,
        last: None,
    });
}

/// The process that records, or has recorded last; 0 if none has. Relaxed, wherever it is used: a child of a
/// fork has what its parent had.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// What is not of exact mode.
struct Store {
    /// The waits of the recording that is going on.
    recorded: Option<Waits>,
    /// What the flight recorder has.
    last: Option<Runs>,
}

struct Waits {
    sample: Sample,
    /// Those that were over before aren't in it; until it is known, none is.
    from: Option<Moment>,
    rows: Rows,
}

/// Who is told of each hold, see [`exact`](crate::table::exact).
pub(crate) struct Recorder;

impl Listener for Recorder {
    fn released(&self, hold: &Told<'_>, at: Moment) {
        keep(hold, at, What::Hold);
    }

    fn lasts(&self, hold: &Told<'_>, at: Moment) {
        keep(hold, at, What::LastingHold);
    }
}

fn keep(hold: &Told<'_>, to: Moment, what: What) {
    let from = hold.since;
    let (_, ticket) = hold.id;
    let over = Over {
        record: hold.record,
        mode: hold.mode,
        span: Span { from, to },
        what,
    };
    let (space, key) = (name_part(hold.space), kept(hold.text));
    let Part(rows) = &PARTS_OF_HOLDS[ticket.part(PARTS)];
    rows.lock().add((space, &key), over, HOLDS / PARTS);
}

/// Makes ready to keep waits for a recording, of these buckets, [from](begin_now) some moment on. False if there
/// is one already.
pub(crate) fn begin(sample: Sample) -> bool {
    let process = process::id();
    let mut store = STORE.lock();
    if store.recorded.is_some() {
        if PROCESS.load(Ordering::Relaxed) == process {
            return false;
        }
        // A copy of what the parent had of its own.
        forget_holds();
    }
    PROCESS.store(process, Ordering::Relaxed);
    store.recorded = Some(Waits {
        sample,
        from: None,
        rows: Rows::new(),
    });
    true
}

/// Begins to keep the waits that end from now on, which is given: what shards have had for long takes no room.
pub(crate) fn begin_now() -> Moment {
    let mut store = STORE.lock();
    // With the mutex: what comes before this was over before.
    let now = Moment::now();
    if let Some(waits) = &mut store.recorded {
        waits.from = Some(now);
    }
    now
}

/// Whether what is recorded is so by the parent that this process is forked from, and not by itself.
pub(crate) fn is_of_parent() -> bool {
    let process = PROCESS.load(Ordering::Relaxed);
    process != 0 && process != process::id()
}

/// Whether there is so much that it should be taken out.
pub(crate) fn is_filling() -> bool {
    let waits = |store: &Store| {
        let waits = store.recorded.as_ref();
        waits.is_some_and(|waits| waits.rows.is_filling(WAITS))
    };
    parts().any(|Part(rows)| rows.lock().is_filling(HOLDS / PARTS)) || waits(&STORE.lock())
}

fn forget_holds() {
    for Part(rows) in parts() {
        *rows.lock() = Rows::new();
    }
}

/// Takes out what was kept, and how much was not. Of a wait that is among it so are the holds that have
/// ended before, now or earlier.
pub(crate) fn take() -> (Vec<Row>, u64) {
    let mut all = Vec::new();
    let mut dropped = 0;
    // With none of the mutexes: somebody waits for that who releases.
    let waits = |waits: &mut Waits| mem::replace(&mut waits.rows, Rows::new());
    let waits = STORE.lock().recorded.as_mut().map(waits);
    if let Some(mut waits) = waits {
        dropped += waits.take_to(&mut all);
    }
    // One more than there are parts, of which each goes to the next part: all are of one size.
    let mut taken = Rows::new();
    for Part(rows) in parts() {
        mem::swap(&mut *rows.lock(), &mut taken);
        dropped += taken.take_to(&mut all);
    }
    (all, dropped)
}

/// Ends it, after exact mode has ended. Gives what was kept, and how much was not.
pub(crate) fn end() -> (Vec<Row>, u64) {
    let (mut all, mut dropped) = take();
    forget_holds();
    // Last, as by then another one may begin.
    let recorded = STORE.lock().recorded.take();
    if let Some(mut waits) = recorded {
        dropped += waits.rows.take_to(&mut all);
    }
    (all, dropped)
}

/// The flight recorder begins to keep what was last, and goes on with that.
pub(crate) fn keep_last() {
    STORE.lock().last.get_or_insert_default();
}

/// What the flight recorder has.
pub(crate) fn last() -> Vec<Row> {
    let store = STORE.lock();
    store.last.iter().flat_map(Runs::rows).collect()
}

/// Waits for a lock are over, and holds that somebody waited for. Gives memory for others, if there is some to
/// spare.
pub(crate) fn are_over(run: Run) -> Option<Vec<Over>> {
    let mut store = STORE.lock();
    let Store { recorded, last } = &mut *store;
    let recorded = recorded.as_mut();
    if let Some(waits) = recorded.filter(|waits| waits.sample.has_hash(run.hash)) {
        // It has its holds by exact mode.
        let is_kept = |over: &&Over| {
            let is_in_time = waits.from.is_some_and(|from| over.span.to >= from);
            is_in_time && over.what != What::Hold
        };
        for over in run.over.iter().filter(is_kept) {
            waits
                .rows
                .add((run.space, run.key.as_bytes()), *over, WAITS);
        }
    }
    match last {
        Some(last) => last.add(run, LAST, ROOM_OF_LAST),
        None => Some(run.memory()),
    }
}

/// Somebody waits still as a recording ends.
pub(crate) fn waits_still(lock: (u64, &[u8]), wait: Over) {
    if let Some(waits) = &mut STORE.lock().recorded {
        waits.rows.add(lock, wait, WAITS);
    }
}
