//! What is due when.

use super::said::{Call, Id};
use std::collections::{BTreeMap, BTreeSet};

/// Moments by what is due then, of which each has one at most.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_alarm: BTreeMap<Alarm, u64>,
    by_time: BTreeSet<(u64, Alarm)>,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// The call has not been answered.
    Silent(Call),
    /// The asker has waited long enough for an answer.
    Patience(Id),
    /// The claim may be asked for, or released, again.
    Again(Id),
    /// The claim has not been released, and there is no lease any more.
    GiveUp(Id),
    /// What is held is to be renewed.
    Renew,
    /// What nobody knows the answer of is to be released once more.
    Sweep,
    /// The server may be connected to again.
    Open,
}

impl Alarms {
    pub(super) fn set(&mut self, alarm: Alarm, at: u64) {
        if let Some(former) = self.by_alarm.insert(alarm, at) {
            self.by_time.remove(&(former, alarm));
        }
        self.by_time.insert((at, alarm));
    }

    pub(super) fn clear(&mut self, alarm: Alarm) {
        if let Some(former) = self.by_alarm.remove(&alarm) {
            self.by_time.remove(&(former, alarm));
        }
    }

    pub(super) fn is_set(&self, alarm: Alarm) -> bool {
        self.by_alarm.contains_key(&alarm)
    }

    /// The moment of the first one.
    pub(super) fn next(&self) -> Option<u64> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// The first one, if it is due.
    pub(super) fn pop(&mut self, now: u64) -> Option<Alarm> {
        let (at, alarm) = *self.by_time.first()?;
        (at <= now).then(|| {
            self.clear(alarm);
            alarm
        })
    }
}
