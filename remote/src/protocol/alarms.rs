//! What is due when.

use super::said::{Call, Id};
use lockutils::ordered::{OrderedMap, OrderedSet, Ranked};

/// A process that sees so late that an answer is overdue has stood still, and the answer may be there to be read. For that it
/// has as much time again.
const GRACE: u64 = 200_000_000;

/// Moments by what is due then, of which each has one at most.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    by_alarm: OrderedMap<Alarm, Due>,
    by_time: OrderedSet<(u64, Alarm)>,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    at: u64,
    /// Whether it was due before. It is put off once, or else the server would never be silent for a process that is always late.
    is_put_off: bool,
}

/// What is due.
#[derive(Clone, Copy, Debug)]
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

impl Ranked for Alarm {
    fn rank(self) -> [u64; 4] {
        let (kind, number) = match self {
            Self::Silent(Call(call)) => (0, call),
            Self::Patience(Id(id)) => (1, id),
            Self::Again(Id(id)) => (2, id),
            Self::GiveUp(Id(id)) => (3, id),
            Self::Renew => (4, 0),
            Self::Sweep => (5, 0),
            Self::Open => (6, 0),
        };
        [kind, number, 0, 0]
    }
}

impl Alarms {
    pub(super) fn set(&mut self, alarm: Alarm, at: u64) {
        let is_put_off = false;
        self.insert(alarm, Due { at, is_put_off });
    }

    fn insert(&mut self, alarm: Alarm, due: Due) {
        self.clear(alarm);
        self.by_alarm.insert(alarm, due);
        self.by_time.add((due.at, alarm));
    }

    pub(super) fn clear(&mut self, alarm: Alarm) {
        if let Some(former) = self.by_alarm.remove(&alarm) {
            self.by_time.remove(&(former.at, alarm));
        }
    }

    pub(super) fn is_set(&self, alarm: Alarm) -> bool {
        self.by_alarm.contains_key(&alarm)
    }

    /// The moment of the first one.
    pub(super) fn next(&self) -> Option<u64> {
        self.by_time.first().map(|(at, _)| at)
    }

    /// The first one that is due.
    pub(super) fn pop(&mut self, now: u64) -> Option<Alarm> {
        loop {
            let (at, alarm) = self.by_time.first().filter(|(at, _)| *at <= now)?;
            if now - at <= GRACE || !alarm.is_of_silence() || self.by_alarm[&alarm].is_put_off {
                self.clear(alarm);
                return Some(alarm);
            }
            let (at, is_put_off) = (now.saturating_add(GRACE), true);
            self.insert(alarm, Due { at, is_put_off });
        }
    }

    /// Whether it was due, and isn't set any more.
    pub(super) fn take(&mut self, alarm: Alarm, now: u64) -> bool {
        let is_due = self.by_alarm.get(&alarm).is_some_and(|due| due.at <= now);
        if is_due {
            self.clear(alarm);
        }
        is_due
    }
}

impl Alarm {
    /// Whether it says that no answer has come.
    fn is_of_silence(self) -> bool {
        matches!(self, Self::Silent(_) | Self::Patience(_) | Self::GiveUp(_))
    }
}
