//! The metrics, each with its name, its type and its samples.

use super::sample::Sample;
use crate::costs::histogram::{BOUNDS, Histogram};
use crate::costs::{self, Answers, Costs, Question};
use crate::culprit::Culprit;
use crate::observe::outcome::Outcome;
use crate::ordered::{OrderedMap, SortedVec};
use crate::table::identity::name_of;
use std::fmt;
use std::time::Duration;

/// A metric. [`Display`](fmt::Display) gives the lines that Prometheus has of it.
#[derive(Clone, Debug)]
pub(super) struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    pub(super) samples: Vec<Sample>,
}

/// What there is of a space now.
#[derive(Default)]
pub(super) struct Now {
    pub(super) waiters: usize,
    pub(super) oldest: Duration,
    /// If it is looked at.
    pub(super) held: Option<usize>,
}

type Labels = Vec<(&'static str, String)>;

/// All metrics that have a sample.
#[inline]
pub(super) fn families(costs: &Costs, now: &SortedVec<&'static str, Now>) -> Vec<Family> {
    let mut families = of_waits(costs);
    families.extend(of_now(now));
    families.extend(of_servers(costs));
    families.extend(of_events(costs));
    families.retain(|family| !family.samples.is_empty());
    families
}

#[inline]
fn of_waits(costs: &Costs) -> Vec<Family> {
    let mut waits = Family::new(
        "lockutils_wait_duration_seconds",
        "histogram",
        "How long waits for locks took that are over.",
    );
    let mut blame = Family::counter(
        "lockutils_waiter_seconds_total",
        "How long others have waited for locks that were held here.",
    );
    let mut hand_overs = Family::new(
        "lockutils_handover_duration_seconds",
        "histogram",
        "From when a waiter could have had a lock until it ran.",
    );
    let mut spins = Family::counter(
        "lockutils_spins_total",
        "Locks that were free after a short pause.",
    );
    for (space, cost) in &costs.spaces {
        for outcome in Outcome::ALL {
            let outcome_label = ("outcome", outcome.name().to_owned());
            let labels = vec![of_space(*space), outcome_label];
            waits.add_histogram(&labels, cost.waits(outcome));
        }
        hand_overs.add_histogram(&vec![of_space(*space)], &cost.hand_overs);
        spins.add_count(vec![of_space(*space)], cost.spins);
    }
    let mut by_site: SortedVec<(&str, String), u64> = SortedVec::new();
    for (pair, cost) in &costs.pairs {
        let place = (name_of(pair.space), pair.holder.to_string());
        *by_site.get_or_default(place) += cost.nanoseconds;
    }
    for ((space, site), nanoseconds) in by_site.into_vec() {
        let labels = vec![("space", space.to_owned()), ("site", site)];
        blame.add(labels, Duration::from_nanos(nanoseconds).as_secs_f64());
    }
    vec![waits, blame, hand_overs, spins]
}

#[inline]
fn of_now(now: &SortedVec<&'static str, Now>) -> Vec<Family> {
    let mut waiters = Family::gauge(
        "lockutils_waiters",
        "How many threads and tasks wait for locks.",
    );
    let mut oldest = Family::gauge(
        "lockutils_oldest_wait_seconds",
        "How long the first of them has waited.",
    );
    let mut held = Family::gauge("lockutils_held", "How many holders locks have.");
    for (space, now) in now.iter() {
        let labels = || vec![("space", (*space).to_owned())];
        waiters.add_count(labels(), now.waiters as u64);
        oldest.add(labels(), now.oldest.as_secs_f64());
        if let Some(holders) = now.held {
            held.add_count(labels(), holders as u64);
        }
    }
    vec![waiters, oldest, held]
}

#[inline]
fn of_servers(costs: &Costs) -> Vec<Family> {
    let mut round_trips = Family::new(
        "lockutils_round_trip_duration_seconds",
        "histogram",
        "How long servers took to answer.",
    );
    let mut failed = Family::counter(
        "lockutils_round_trips_failed_total",
        "Questions to servers that failed, or had no answer.",
    );
    let mut renewals = Family::counter(
        "lockutils_lease_renewals_total",
        "Renewals of leases, of one or of all of a process.",
    );
    let mut connects = Family::counter(
        "lockutils_server_connects_total",
        "Connections to servers, the first and those after a break.",
    );
    let mut lost = Family::counter(
        "lockutils_leases_lost_total",
        "Locks of servers that were lost while they were held.",
    );
    for (space, server) in &costs.servers {
        for question in Question::ALL {
            let Answers { took, failed: none } = server.answers(question);
            let label = ("question", question.name().to_owned());
            let labels = vec![of_space(*space), label];
            round_trips.add_histogram(&labels, took);
            failed.add_count(labels, *none);
        }
        for (family, question, done) in [
            (&mut renewals, Question::Renew, "renewed"),
            (&mut connects, Question::Connect, "connected"),
        ] {
            let Answers { took, failed } = server.answers(question);
            for (outcome, count) in [(done, took.count()), ("failed", *failed)] {
                let label = ("outcome", outcome.to_owned());
                family.add_count(vec![of_space(*space), label], count);
            }
        }
        lost.add_count(vec![of_space(*space)], server.lost);
    }
    vec![round_trips, failed, renewals, connects, lost]
}

#[inline]
fn of_events(costs: &Costs) -> Vec<Family> {
    let mut refused = Family::counter(
        "lockutils_busy_total",
        "Locks that were refused to who does not wait, by who had them.",
    );
    refused.add_places(&costs.refused);
    let mut long = Family::counter(
        "lockutils_long_holds_total",
        "Locks that were held for too long.",
    );
    long.add_places(&costs.long_holds);
    let mut deadlocks = Family::counter(
        "lockutils_deadlocks_total",
        "Deadlocks, and suspicions of one.",
    );
    for (kind, count) in [
        ("certain", costs.certain_deadlocks),
        ("suspected", costs.suspected_deadlocks),
    ] {
        deadlocks.add_count(vec![("kind", kind.to_owned())], count);
    }
    let mut misorders = Family::counter(
        "lockutils_lock_order_violations_total",
        "Locks that are taken in two orders.",
    );
    misorders.add_count(Labels::new(), costs.misorders);
    let mut dropped = Family::counter(
        "lockutils_events_dropped_total",
        "What there was no room to count.",
    );
    dropped.add_count(Labels::new(), costs.dropped);
    let mut version = Family::gauge("lockutils_build_info", "The version of lockutils.");
    let label = ("version", env!("CARGO_PKG_VERSION").to_owned());
    version.add_count(vec![label], 1);
    vec![refused, long, deadlocks, misorders, dropped, version]
}

#[inline]
fn of_space(space: u64) -> (&'static str, String) {
    ("space", name_of(space).to_owned())
}

impl Family {
    const fn new(name: &'static str, kind: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind,
            help,
            samples: Vec::new(),
        }
    }

    const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, "counter", help)
    }

    const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, "gauge", help)
    }

    #[inline]
    fn add(&mut self, labels: Labels, value: f64) {
        self.samples
            .push(Sample::new(self.name.to_owned(), labels, value));
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to 2^53, as all of Prometheus"
    )]
    #[inline]
    fn add_count(&mut self, labels: Labels, count: u64) {
        self.add(labels, count as f64);
    }

    /// Nothing of what has never happened.
    #[expect(clippy::cast_precision_loss, reason = "as above")]
    #[inline]
    fn add_histogram(&mut self, labels: &Labels, histogram: &Histogram) {
        let count = histogram.count();
        if count == 0 {
            return;
        }
        let bounds = BOUNDS.map(|bound| Duration::from_nanos(bound).as_secs_f64().to_string());
        let bounds = bounds.into_iter().chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(histogram.up_to().chain([count])) {
            let mut labels = labels.clone();
            labels.push(("le", bound));
            let name = format!("{}_bucket", self.name);
            self.samples.push(Sample::new(name, labels, count as f64));
        }
        for (end, value) in [
            ("sum", histogram.sum().as_secs_f64()),
            ("count", count as f64),
        ] {
            let name = format!("{}_{end}", self.name);
            self.samples.push(Sample::new(name, labels.clone(), value));
        }
    }

    /// By their texts: one place in the code can have several addresses.
    #[inline]
    fn add_places(&mut self, places: &OrderedMap<costs::Place, u64>) {
        let mut by_text: SortedVec<(&str, String), u64> = SortedVec::new();
        for (place, count) in places {
            let holder = place.holder.as_ref();
            let site = holder.map(Culprit::to_string).unwrap_or_default();
            *by_text.get_or_default((name_of(place.space), site)) += count;
        }
        for ((space, site), count) in by_text.into_vec() {
            let labels = vec![("space", space.to_owned()), ("site", site)];
            self.add_count(labels, count);
        }
    }
}

impl fmt::Display for Family {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            kind,
            help,
            samples,
        } = self;
        writeln!(f, "# HELP {name} {help}")?;
        writeln!(f, "# TYPE {name} {kind}")?;
        for sample in samples {
            writeln!(f, "{sample}")?;
        }
        Ok(())
    }
}
