//! Probes for tracers that attach to the process: an instruction that does nothing, and a note in the
//! binary that says where it is and where its arguments are.
//!
//! A tracer that attaches counts up a word beside the probe, so texts are written only while somebody
//! reads them. They are C strings, since a tracer is told where a text begins and not how long it is.

use super::outcome::Outcome;
use crate::name::{PlainName, Taken};
use crate::table::moment::Moment;
use crate::table::place::Ticket;
use std::ffi::{CStr, CString};

/// What a tracer reads of a lock.
struct Texts {
    lock: CString,
    site: CString,
}

impl Texts {
    fn of(taken: Option<Taken>) -> Self {
        let Some(Taken { space, key, site }) = taken else {
            return Self {
                lock: CString::default(),
                site: CString::default(),
            };
        };
        let (space, key) = (space, &key);
        Self {
            lock: text(&PlainName { space, key }.to_string()),
            site: text(&site.to_string()),
        }
    }
}

/// Without its zeros, if it has any.
fn text(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// A wait has begun.
pub(crate) fn wait_begins(wait: Ticket, lock: impl FnOnce() -> Option<Taken>) {
    let mut texts = None;
    probe::probe_lazy!(
        lockutils,
        wait_begin,
        wait.number(),
        texts.insert(Texts::of(lock())).lock.as_ptr(),
        texts
            .as_ref()
            .map_or(c"".as_ptr(), |texts| texts.site.as_ptr()),
    );
}

/// A wait has ended.
pub(crate) fn wait_ends(wait: Ticket, outcome: Outcome, since: Moment) {
    probe::probe_lazy!(
        lockutils,
        wait_end,
        wait.number(),
        outcome_text(outcome).as_ptr(),
        since.until(Moment::now()).as_nanos(),
    );
}

const fn outcome_text(outcome: Outcome) -> &'static CStr {
    match outcome {
        Outcome::Acquired => c"acquired",
        Outcome::TimedOut => c"timeout",
        Outcome::Cancelled => c"cancelled",
        Outcome::Deadlock => c"deadlock",
        Outcome::Failed => c"failed",
    }
}

/// A lock is released that so many wait for. Called with the mutex of the lock's shard, so that the
/// holder is still there.
pub(crate) fn release(waiters: usize, lock: impl FnOnce() -> Option<Taken>) {
    let mut texts = None;
    probe::probe_lazy!(
        lockutils,
        release,
        texts.insert(Texts::of(lock())).lock.as_ptr(),
        texts
            .as_ref()
            .map_or(c"".as_ptr(), |texts| texts.site.as_ptr()),
        waiters,
    );
}
