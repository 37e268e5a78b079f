//! Leases: when they are renewed, and when they are over.

use super::alarms::Alarm;
use super::said::{Id, LostBy, News, Question};
use super::state::{Link, Phase, Protocol, Purpose, end_of};
use crate::store::{Fault, Kept};
use std::sync::Arc;

impl Protocol {
    /// Loses what is over by the clock, before anything else is done.
    pub(super) fn expire(&mut self, now: u64) {
        while let Some(alarm) = self.deadlines.pop(now) {
            match alarm {
                Alarm::Lease(id) => self.lose(id, LostBy::Time),
                _ => self.over(now, self.silent(), LostBy::Time),
            }
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
            self.proofs.first().map(|(proven, _)| *proven)
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
        let is_due = |proven: u64| all || proven.saturating_add(open.lease / 4) <= now;
        let due = self.proofs.iter().take_while(|(proven, _)| is_due(*proven));
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
    pub(super) fn renewed(&mut self, now: u64, ids: &[Id], sent: u64, result: Result<Kept, Fault>) {
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
            self.deadlines.set(Alarm::Session, deadline);
            return self.tell_all_of_session(deadline);
        }
        for (number, &id) in ids.iter().enumerate() {
            let is_lost = matches!(&kept, Kept::AllBut(lost) if lost.contains(&number));
            match self.entries.get_mut(&id) {
                Some(entry) if is_lost && matches!(entry.phase, Phase::Held(_)) => {
                    self.lose(id, LostBy::Server);
                }
                Some(entry) => {
                    if let Phase::Held(proven) = entry.phase {
                        entry.phase = Phase::Held(sent);
                        self.proofs.remove(&(proven, id));
                        self.proofs.insert((sent, id));
                        self.deadlines.set(Alarm::Lease(id), deadline);
                        self.tell(id, News::Renewed { deadline });
                    }
                }
                None => {}
            }
        }
    }

    fn tell_all_of_session(&mut self, deadline: u64) {
        let held = self.entries.iter();
        let held = held.filter(|(_, entry)| matches!(entry.phase, Phase::Held(_)));
        let ids: Vec<Id> = held.map(|(id, _)| *id).collect();
        for id in ids {
            self.tell(id, News::Renewed { deadline });
        }
    }
}
