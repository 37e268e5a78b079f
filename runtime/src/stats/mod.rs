//! What locks have cost, as metrics.
//!
//! The counts are read from the [`costs`], once those who still wait are charged for what they have
//! waited so far. What is now, as the number of those who wait, is looked at. The [`families`] are the metrics,
//! each with its name, its type and its samples.
//!
//! Few programs ask for them, so all functions here are `#[inline]`: who calls them compiles them, and
//! nobody else.

mod families;
mod sample;

use crate::costs;
use crate::observe::holds;
use crate::observe::listen::Listeners;
use crate::ordered::SortedVec;
use crate::outside::all_waits;
use crate::table::identity::name_of;
use crate::table::looks;
use families::{Family, Now, families};
pub use sample::Sample;

/// The counts and times of this process's locks, by space and by place in the code, and never by
/// key. They begin with the first call of this or of [`profile`](crate::profile()), or with an
/// [observer](crate::observe::set_observer), and grow from then on.
///
/// What is counted is waiting. How often locks are taken that nobody else wants is not: that would
/// cost each of them a third more.
///
/// # Examples
///
/// ```
/// // What `/metrics` answers, in any web framework.
/// let text = lockutils::stats().to_prometheus();
/// assert!(text.contains("lockutils_build_info{version="));
/// ```
#[must_use]
#[inline]
pub fn stats() -> Stats {
    costs::begin(Listeners::NONE);
    // First, so that those are charged who still wait.
    let queues = looks::queues();
    let outside = all_waits();
    let costs = costs::copy();
    // Those that have had waiters have none now, unless there are some.
    let mut now = SortedVec::new();
    for space in costs.spaces.keys() {
        now.get_or_insert(name_of(*space), Now::default());
    }
    for queue in queues {
        let all = now.get_or_default(name_of(queue.space));
        all.waiters += queue.waiters;
        all.oldest = all.oldest.max(queue.oldest);
    }
    for (space, waited) in &outside {
        let all = now.get_or_default(name_of(*space));
        all.waiters += 1;
        all.oldest = all.oldest.max(*waited);
    }
    if holds::are_watched() {
        for space in now.values_mut() {
            space.held = Some(0);
        }
        for (space, holders) in looks::holders() {
            *now.get_or_default(name_of(space)).held.get_or_insert(0) += holders;
        }
        // They have the line, and not the lock. Some may have got it by now.
        for (space, _) in outside {
            let held = now.get_or_default(name_of(space)).held.get_or_insert(0);
            *held = held.saturating_sub(1);
        }
    }
    Stats(families(&costs, &now))
}

/// What [`stats`](stats()) gives.
///
/// | name | type | labels | |
/// |---|---|---|---|
/// | `lockutils_wait_duration_seconds` | histogram | space, outcome | waits that are over, of which `_count` says how many |
/// | `lockutils_waiter_seconds_total` | counter | space, site | how long others have waited for what was held here; its rate is how many are kept waiting on average |
/// | `lockutils_waiters` | gauge | space | who waits now |
/// | `lockutils_oldest_wait_seconds` | gauge | space | how long the first of them has |
/// | `lockutils_handover_duration_seconds` | histogram | space | from when a waiter could have had the lock until it ran |
/// | `lockutils_busy_total` | counter | space, site | locks that were refused to who doesn't wait, by who had them |
/// | `lockutils_spins_total` | counter | space | locks that were free after a pause of some 100 ns |
/// | `lockutils_long_holds_total` | counter | space, site | with [`long_holds`](crate::observe::long_holds) |
/// | `lockutils_held` | gauge | space | locks that are held now; with `long_holds` |
/// | `lockutils_deadlocks_total` | counter | kind: `certain` or `suspected` | |
/// | `lockutils_round_trip_duration_seconds` | histogram | space, question: `connect`, `acquire`, `release`, `renew` or `look` | how long a server took to answer; that it waits for who has a lock is no part of it |
/// | `lockutils_round_trips_failed_total` | counter | space, question | what a server didn't answer, or refused |
/// | `lockutils_lease_renewals_total` | counter | space, outcome: `renewed` or `failed` | of one lease, or of all of the process, as the server has it |
/// | `lockutils_server_connects_total` | counter | space, outcome: `connected` or `failed` | the first connection, and each after a break |
/// | `lockutils_leases_lost_total` | counter | space | locks that were lost while they were held |
/// | `lockutils_lock_order_violations_total` | counter | | locks that are taken in two orders, see [`lock_order`](crate::observe::lock_order()) |
/// | `lockutils_events_dropped_total` | counter | | what there was no room to count: it would be the 513th series |
/// | `lockutils_build_info` | gauge | version | 1 |
///
/// A `site` is a place in the code, such as `connect (src/cells.rs:41)`, and empty where it isn't
/// known. Of a lock that another process has, be it a file or a server's, it is the program and the place
/// in its code, such as `connect (src/cells.rs:41) in another process (nova-compute)`, as far as the
/// file or the server says it: never the process's id, its host or its arguments, so that there are not many; from
/// the 129th on they are all `another process`. Who has such a lock is seen by looks, at the begin of
/// a wait and at each call of this function, and what was waited between two of them is divided by what
/// the holder says of since when it has the lock. A histogram has bounds from 10 µs to a minute.
///
/// # OpenTelemetry
///
/// Have each metric observed by its [`Sample`]s:
///
/// ```
/// # struct Meter;
/// # impl Meter { fn observe(&self, _: f64, _: &[(&'static str, String)]) {} }
/// fn observe_waiters(observer: &Meter) {
///     for sample in lockutils::stats().samples() {
///         if sample.name() == "lockutils_waiter_seconds_total" {
///             observer.observe(sample.value(), sample.labels());
///         }
///     }
/// }
/// # observe_waiters(&Meter);
/// ```
#[derive(Clone, Debug)]
pub struct Stats(Vec<Family>);

impl Stats {
    /// The text that Prometheus and those like it scrape, in its format 0.0.4, which is of the
    /// content type `text/plain; version=0.0.4`.
    #[must_use]
    #[inline]
    pub fn to_prometheus(&self) -> String {
        self.0.iter().map(Family::to_string).collect()
    }

    /// Each value, for other systems. A histogram is the values that Prometheus has of one:
    /// `_bucket` for each bound, with the label `le`, `_sum` and `_count`.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter().flat_map(|family| &family.samples)
    }
}
