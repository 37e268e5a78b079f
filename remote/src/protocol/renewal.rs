//! Leases: when they are renewed, and when they are over.

use super::alarms::Alarm;
use super::said::{Effect, Id, LostBy, Question};
use super::state::{Link, Phase, Protocol, Purpose, end_of, start_of};
use crate::store::{Fault, Kept};
use std::sync::Arc;

impl Protocol {
    /// Loses what is over by the clock, before anything else is done.
    pub(super) fn expire(&mut self, now: u64) {
        while let Some((_, id)) = self.leases.first().filter(|(end, _)| *end <= now) {
            self.lose(id, LostBy::Time);
        }
        if self.end_of_session().is_some_and(|end| end <= now) {
            self.over(now, self.silent(), LostBy::Time);
        }
    }

    /// When the first lease is over.
    pub(super) fn end_of_lease(&self) -> Option<u64> {
        let own = self.leases.first().map(|(end, _)| end);
        own.into_iter().chain(self.end_of_session()).min()
    }

    /// When the lease is over that is the session's.
    fn end_of_session(&self) -> Option<u64> {
        match self.link {
            Link::Open(open) if self.rules.shape.one_lease => Some(end_of(open.lease, open.proven)),
            _ => None,
        }
    }

    /// Sets the alarm for the next renewal.
    pub(super) fn plan_renewal(&mut self) {
        let Link::Open(open) = self.link else { return };
        if open.renewing || (self.renewals_failed > 0 && self.alarms.is_set(Alarm::Renew)) {
            return;
        }
        let first = if self.rules.shape.one_lease {
            Some(open.proven)
        } else {
            let first = self.leases.first();
            first.map(|(end, _)| start_of(open.lease, end))
        };
        match first {
            Some(proven) => {
                let due = proven.saturating_add(open.lease / 3);
                self.alarms.set(Alarm::Renew, due);
            }
            None => self.alarms.clear(Alarm::Renew),
        }
    }

    /// Renews in one question what is due, and with it what soon will be; or all.
    pub(super) fn renew(&mut self, now: u64, all: bool) {
        let Link::Open(open) = &mut self.link else {
            return;
        };
        if open.renewing {
            return;
        }
        let (lease, part) = (open.lease, open.lease / 4);
        let is_due = |end: u64| all || start_of(lease, end).saturating_add(part) <= now;
        let due = self.leases.keys().take_while(|(end, _)| is_due(*end));
        let ids: Vec<Id> = due.map(|(_, id)| *id).collect();
        if ids.is_empty() && !self.rules.shape.one_lease {
            return;
        }
        open.renewing = true;
        let open = *open;
        let claim = |id| Arc::clone(&self.entries[id].claim);
        let question = Question::Renew(open.number, ids.iter().map(claim).collect());
        // Late enough for another one, before all is lost.
        let time = self.answer_timeout().min(open.lease / 3);
        self.start(now, question, Purpose::Renew(ids), time);
    }

    /// The server has answered a renewal that was sent at a time.
    pub(super) fn renewed(
        &mut self,
        now: u64,
        ids: Vec<Id>,
        sent: u64,
        result: Result<Kept, Fault>,
    ) {
        let Link::Open(open) = &mut self.link else {
            return;
        };
        open.renewing = false;
        let Ok(kept) = result else {
            let most = open.lease / 10;
            self.renewals_failed += 1;
            let pause = self.pause(self.renewals_failed - 1).min(most);
            return self.alarms.set(Alarm::Renew, now.saturating_add(pause));
        };
        self.renewals_failed = 0;
        self.failures = 0;
        let deadline = end_of(open.lease, sent);
        if self.rules.shape.one_lease {
            open.proven = sent;
            let held = self.entries.iter();
            let held = held.filter(|(_, entry)| matches!(entry.phase, Phase::Held(_)));
            let ids = held.map(|(id, _)| *id).collect();
            return self.tell_renewed(ids, deadline);
        }
        let lost = match &kept {
            Kept::All => &[],
            Kept::AllBut(lost) => &lost[..],
        };
        for id in lost.iter().filter_map(|number| ids.get(*number)) {
            self.lose(*id, LostBy::Server);
        }
        let mut ids = ids;
        ids.retain(|id| {
            let Some(entry) = self.entries.get_mut(id) else {
                return false;
            };
            let Phase::Held(former) = entry.phase else {
                return false;
            };
            entry.phase = Phase::Held(deadline);
            self.leases.remove(&(former, *id));
            self.leases.add((deadline, *id));
            true
        });
        self.tell_renewed(ids, deadline);
    }

    fn tell_renewed(&mut self, ids: Vec<Id>, deadline: u64) {
        if !ids.is_empty() {
            self.effects.push_back(Effect::Renewed(ids, deadline));
        }
    }
}
