//! Keeps holds and waits that are over, for a recording and for the flight recorder.
//!
//! Those who have just released are not to wait for each other here, so the holds of a recording are
//! in several parts, each with a mutex of its own. Waits are rare, and are in one.
//!
//! Who records takes them out again and again. What has no room meanwhile is counted, and left out.
//! The flight recorder forgets the oldest.

use super::rows::{Over, Row, Rows, Span, What, kept_key};
use crate::key::Key;
use crate::process;
use crate::sync::ambient::Mutex;
use crate::table::exact::{Listener, Told};
use crate::table::identity::name_part;
use crate::table::moment::Moment;
use crate::table::sample::Sample;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many parts the holds of a recording are in.
const PARTS: usize = 16;

/// How much of a recording is holds, in bytes, and how much waits, that nobody has taken out. With as much that
/// is being drawn, and what that takes, it is less than 4 MiB.
const HOLDS: usize = 640 * 1024;
const WAITS: usize = 256 * 1024;

/// How much the flight recorder keeps of each.
const LAST: usize = 4096;
const ROOM_OF_LAST: usize = 480 * 1024;

/// One part, which shares no cache line with another.
#[repr(align(128))]
struct Part(Mutex<Rows>);

static PARTS_OF_HOLDS: [Part; PARTS] = [const { Part(Mutex::new(Rows::new())) }; PARTS];

static STORE: Mutex<Store> = Mutex::new(Store {
    recorded: None,
    last: None,
});

/// The process that records, or has recorded last; 0 if none has. Relaxed, wherever it is used: a child of a
/// fork has what its parent had.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// What is not of exact mode.
struct Store {
    /// The waits of the recording that is going on.
    recorded: Option<Waits>,
    last: Option<Last>,
}

struct Waits {
    sample: Sample,
    rows: Rows,
}

/// What the flight recorder has.
#[derive(Default)]
struct Last {
    waits: Rows,
    holds: Rows,
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
    let Part(rows) = &PARTS_OF_HOLDS[ticket.part(PARTS)];
    let key = hold.key();
    rows.lock().add(&key, HOLDS / PARTS, || {
        let over = Over {
            record: hold.record,
            mode: hold.mode,
            span: Span { from, to },
            what,
        };
        Row::new((name_part(hold.space), kept_key(&key)), over)
    });
}

/// Begins to keep waits for a recording, of these buckets. False if there is one already.
pub(crate) fn begin(sample: Sample) -> bool {
    let process = process::id();
    let mut store = STORE.lock();
    if store.recorded.is_some() {
        if PROCESS.load(Ordering::Relaxed) == process {
            return false;
        }
        // A copy of what the parent had of its own.
        for Part(rows) in &PARTS_OF_HOLDS {
            drop(rows.lock().take());
        }
    }
    PROCESS.store(process, Ordering::Relaxed);
    store.recorded = Some(Waits {
        sample,
        rows: Rows::new(),
    });
    true
}

/// Whether what is recorded is so by the parent that this process is forked from, and not by itself.
pub(crate) fn is_of_parent() -> bool {
    let process = PROCESS.load(Ordering::Relaxed);
    process != 0 && process != process::id()
}

/// Whether there is so much that it should be taken out.
pub(crate) fn is_filling() -> bool {
    let mut parts = PARTS_OF_HOLDS.iter();
    let waits = |store: &Store| {
        let waits = store.recorded.as_ref();
        waits.is_some_and(|waits| waits.rows.is_filling(WAITS))
    };
    parts.any(|Part(rows)| rows.lock().is_filling(HOLDS / PARTS)) || waits(&STORE.lock())
}

/// Takes out what was kept, and how much was not. Of a wait that is among it so are the holds that have
/// ended before, now or earlier.
pub(crate) fn take() -> (Vec<Row>, u64) {
    let mut all = Vec::new();
    let mut dropped = 0;
    let mut add = |rows: &mut Rows| {
        let (rows, left_out) = rows.take();
        all.reserve_exact(rows.len());
        all.extend(rows);
        dropped += left_out;
    };
    if let Some(waits) = &mut STORE.lock().recorded {
        add(&mut waits.rows);
    }
    for Part(rows) in &PARTS_OF_HOLDS {
        add(&mut rows.lock());
    }
    (all, dropped)
}

/// Ends it, after exact mode has ended. Gives what was kept, and how much was not.
pub(crate) fn end() -> (Vec<Row>, u64) {
    let (mut all, mut dropped) = take();
    // Last, as by then another one may begin.
    let recorded = STORE.lock().recorded.take();
    if let Some(mut waits) = recorded {
        let (waits, left_out) = waits.rows.take();
        all.extend(waits);
        dropped += left_out;
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
    let Some(Last { waits, holds }) = &store.last else {
        return Vec::new();
    };
    waits.iter().chain(holds.iter()).cloned().collect()
}

/// A wait for the lock of this hash is over, or holds that somebody waited for.
pub(crate) fn are_over(hash: u64, (space, key): (u64, &Key), all: &[Over]) {
    let mut store = STORE.lock();
    let Store { recorded, last } = &mut *store;
    let mut recorded = recorded
        .as_mut()
        .filter(|waits| waits.sample.has_hash(hash));
    let mut text = None;
    for over in all {
        let is_hold = over.what == What::Hold;
        if let (Some(last), false) = (&*last, text.is_some()) {
            text = Some(last.waits.key(key));
        }
        let mut row = || {
            let text = text.get_or_insert_with(|| kept_key(key));
            Row::new((space, Arc::clone(text)), *over)
        };
        // A recording has its holds by exact mode.
        if let (Some(waits), false) = (&mut recorded, is_hold) {
            waits.rows.add(key, WAITS, &mut row);
        }
        if let Some(last) = last {
            let rows = if is_hold {
                &mut last.holds
            } else {
                &mut last.waits
            };
            rows.add_last(row(), LAST, ROOM_OF_LAST);
        }
    }
}

/// Somebody waits still as a recording ends.
pub(crate) fn waits_still((space, key): (u64, &Key), wait: Over) {
    if let Some(waits) = &mut STORE.lock().recorded {
        let row = || Row::new((space, kept_key(key)), wait);
        waits.rows.add(key, WAITS, row);
    }
}
