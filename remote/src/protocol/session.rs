//! The session with the server: opened when it is needed, given up when it is of no use.

use super::alarms::Alarm;
use super::said::{Call, Effect, Id, LostBy, News, Question, Trouble, trouble};
use super::state::{Link, Open, Phase, Protocol, Purpose, UnderWay, nanoseconds};
use crate::store::Fault;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// The proof that a session has ended: its calls are off, and there is no [`Link::Open`] to ask in, but by a session
/// that is opened from here on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended(());

impl Protocol {
    /// The session, if there is one; else it is opened.
    pub(super) fn session(&mut self, now: u64) -> Option<Open> {
        match self.link {
            Link::Open(open) => Some(open),
            Link::Closed => {
                self.link = Link::Opening;
                self.start(now, Question::Open, Purpose::Open, self.answer_timeout());
                None
            }
            Link::Pausing | Link::Opening => None,
        }
    }

    pub(super) fn opened(
        &mut self,
        now: u64,
        call: Call,
        sent: u64,
        result: Result<Duration, Fault>,
    ) {
        let (trouble, is_refused) = match result {
            Ok(lease) => return self.begin(now, call, sent, nanoseconds(lease)),
            Err(Fault::Refused(cause)) => (trouble(cause), true),
            Err(fault) => (trouble(fault.into_cause()), false),
        };
        self.trouble = Some(Arc::clone(&trouble));
        self.failures += 1;
        self.rest(now);
        if is_refused {
            self.refuse_all(now, &trouble);
        }
    }

    fn begin(&mut self, now: u64, number: Call, proven: u64, lease: u64) {
        self.link = Link::Open(Open {
            number,
            lease,
            proven,
            renewing: false,
        });
        self.renewals_failed = 0;
        if !self.rules.shape.one_lease {
            // What was held in another session may be lost.
            self.renew(now, true);
        }
        self.go_on_with_all(now);
    }

    /// Opens a session after a pause, if one is needed then.
    fn rest(&mut self, now: u64) {
        self.link = Link::Pausing;
        let pause = self.pause(self.failures.saturating_sub(1));
        self.alarms.set(Alarm::Open, now.saturating_add(pause));
    }

    /// The pause before a session is opened is over.
    pub(super) fn rested(&mut self, now: u64) {
        self.link = Link::Closed;
        self.connect(now);
    }

    /// Opens a session if something needs one.
    fn connect(&mut self, now: u64) {
        let has_own = !self.rules.shape.one_lease;
        let is_needed = !self.looks.is_empty()
            || self.entries.values().any(|entry| match entry.phase {
                Phase::Wanted | Phase::Leaving => true,
                Phase::Held(_) => has_own,
                _ => false,
            });
        if is_needed {
            self.session(now);
        }
    }

    fn go_on_with_all(&mut self, now: u64) {
        let ids: Vec<Id> = self.entries.keys().copied().collect();
        for id in ids {
            self.go_on(now, id);
        }
        let looks: Vec<Id> = self.looks.keys().copied().collect();
        for id in looks {
            self.go_on_looking(now, id);
        }
    }

    /// Tells all who ask that the server refuses them.
    fn refuse_all(&mut self, now: u64, trouble: &Trouble) {
        let waits = |phase| !matches!(phase, Phase::Held(_) | Phase::Lost);
        let wanted = |(id, entry): (&Id, &super::state::Entry)| {
            (entry.is_wanted && waits(entry.phase)).then_some(*id)
        };
        let ids: Vec<Id> = self.entries.iter().filter_map(wanted).collect();
        for id in ids {
            self.refuse(now, id, News::Unavailable(Arc::clone(trouble)));
        }
        for (&id, _) in &mem::take(&mut self.looks) {
            self.tell(id, News::Unavailable(Arc::clone(trouble)));
            self.end_look(id);
        }
    }

    /// The session is over, or given up. What was held in it is lost where the lease was the
    /// session's; and what was asked is asked again in another one.
    pub(super) fn over(&mut self, now: u64, trouble: Trouble, by: LostBy) {
        let Some(ended) = self.end_session(now, by) else {
            return;
        };
        self.trouble = Some(trouble);
        self.failures += 1;
        // Before anything wants another session.
        if self.failures > 1 {
            self.rest(now);
        }
        let ids: Vec<Id> = self.entries.keys().copied().collect();
        for id in ids {
            self.cut_off(now, id, ended);
        }
        self.looks
            .values_mut()
            .for_each(|look| look.is_asked = false);
        self.connect(now);
    }

    /// Ends the session, if there is one: the one place that leaves [`Link::Open`]. Behind it all is told lost that was
    /// held by the session's lease, nothing of it is under way but its end, and no question can be asked in it. So what was
    /// asked in it is taken up behind it only, for which [`Ended`] is the proof.
    fn end_session(&mut self, now: u64, by: LostBy) -> Option<Ended> {
        let Link::Open(open) = self.link else {
            return None;
        };
        self.link = Link::Closed;
        self.alarms.clear(Alarm::Renew);
        self.line.clear();
        self.forget_adrift();
        // Before the server hears of the end, and gives the locks to others.
        if self.rules.shape.one_lease {
            for id in self.entries.keys().copied().collect::<Vec<_>>() {
                self.lose(id, by);
            }
        }
        // Before its end is asked for, which the agent forgets the session by. No other session has calls yet but for
        // the ends of former ones.
        let is_open = |under_way: &UnderWay| !matches!(under_way.purpose, Purpose::Close);
        let calls = self.calls.iter().filter(|(_, call)| is_open(call));
        for call in calls.map(|(call, _)| *call).collect::<Vec<_>>() {
            self.abort(call);
        }
        let question = Question::Close(open.number);
        self.start(now, question, Purpose::Close, self.answer_timeout());
        Some(Ended(()))
    }

    /// Calls a question off.
    pub(super) fn abort(&mut self, call: Call) {
        if self.end_call(call).is_some() {
            self.effects.push_back(Effect::Abort(call));
        }
    }

    /// Why somebody has no answer: what is wrong with the session, else with its own questions.
    pub(super) fn why(&self, id: Id) -> Trouble {
        let entry = self.entries.get(&id).map(|entry| &entry.trouble);
        let own = entry.or_else(|| self.looks.get(&id).map(|look| &look.trouble));
        let trouble = match self.link {
            Link::Open(_) => own.and_then(Option::as_ref),
            Link::Opening | Link::Pausing | Link::Closed => self.trouble.as_ref(),
        };
        trouble.map_or_else(|| self.silent(), Arc::clone)
    }

    /// Ends the session if nobody needs it and nobody will.
    pub(super) fn end_if_unused(&mut self, now: u64) {
        if !self.closing || !self.entries.is_empty() || !self.looks.is_empty() {
            return;
        }
        match self.link {
            // Nobody has anything that could be lost.
            Link::Open(_) => _ = self.end_session(now, LostBy::Session),
            Link::Pausing => {
                self.link = Link::Closed;
                self.alarms.clear(Alarm::Open);
            }
            // What has come of the attempt is known soon.
            Link::Opening | Link::Closed => {}
        }
    }
}
