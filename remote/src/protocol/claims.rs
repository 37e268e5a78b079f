//! Claims: how a lock is asked for, had, and released.

use super::alarms::Alarm;
use super::said::{Effect, Id, LostBy, News, Question, trouble};
use super::session::Ended;
use super::state::{Entry, Link, Phase, Protocol, Purpose, end_of};
use crate::store::{Answer, Asked, Claim, Fault, Freed, Taken};
use lockutils::ordered::OrderedMap;
use std::sync::Arc;

impl Protocol {
    pub(super) fn insert(&mut self, id: Id, claim: Arc<Claim>, asked: Asked) {
        let name = claim.name.clone();
        self.names.entry(name).or_default().push(id);
        self.nonces.insert(claim.nonce, id);
        self.entries.insert(id, Entry::new(claim, asked));
    }

    /// Goes on with a claim that is to be asked for or released, as far as that can be done now.
    /// Connects if there is no session.
    pub(super) fn go_on(&mut self, now: u64, id: Id) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let phase = entry.phase;
        let is_due = matches!(phase, Phase::Wanted | Phase::Leaving);
        if !is_due || self.alarms.is_set(Alarm::Again(id)) {
            return;
        }
        if phase == Phase::Wanted && (self.is_blocked(now, id) || self.gives_way(now, id)) {
            return;
        }
        if self.session(now).is_none() {
            return;
        }
        if !self.has_room() {
            self.line.add(id);
            return;
        }
        if self.line.remove(&id).is_some() {
            // The server has something to answer from now on.
            self.alarms.clear(Alarm::Patience(id));
            self.be_patient(now, id);
        }
        if phase == Phase::Wanted {
            self.start_acquire(now, id);
        } else {
            self.start_release(now, id);
        }
    }

    /// Goes on with those in line, the first who asked before the others, as far as there is room.
    pub(super) fn go_on_in_line(&mut self, now: u64) {
        while self.has_room() {
            let Some(id) = self.line.first() else {
                return;
            };
            self.go_on(now, id);
            // What keeps it from being asked for goes on with it later.
            self.line.remove(&id);
        }
    }

    /// Whether another claim of the name is on its way out, and the server might take this one to
    /// be behind it.
    fn is_blocked(&self, now: u64, id: Id) -> bool {
        let entry = &self.entries[&id];
        let name = &entry.claim.name;
        let Some(ids) = self.names.get(name) else {
            return false;
        };
        let gives_way = entry.asked == Asked::Waiting && self.runs.are_long(now, name);
        let is_ordered = self.rules.shape.ordered && !gives_way;
        ids.iter().filter(|other| **other != id).any(|other| {
            let entry = &self.entries[other];
            match entry.phase {
                Phase::Leaving => true,
                Phase::Releasing(_) => !is_ordered,
                Phase::Asking => !entry.is_wanted,
                Phase::Wanted | Phase::Waiting(_) | Phase::Held(_) | Phase::Lost => false,
            }
        })
    }

    /// Whether a claim that waits is to be asked for a little later, for others to have their chance.
    fn gives_way(&mut self, now: u64, id: Id) -> bool {
        let entry = &self.entries[&id];
        let pause = self.runs.pause(now, &entry.claim.name);
        let Some(pause) = pause.filter(|_| entry.asked == Asked::Waiting) else {
            return false;
        };
        self.alarms.set(Alarm::Again(id), pause);
        true
    }

    /// Goes on with claims of a name, one of which is out of the way.
    fn unblock(&mut self, now: u64, name: &str) {
        let ids = self.names.get(name).into_iter().flatten();
        let wanted: Vec<Id> = ids
            .filter(|id| self.entries[id].phase == Phase::Wanted)
            .copied()
            .collect();
        for id in wanted {
            self.go_on(now, id);
        }
    }

    fn start_acquire(&mut self, now: u64, id: Id) {
        let Link::Open(open) = self.link else { return };
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.phase = Phase::Asking;
        entry.is_doubted = false;
        entry.session = open.number;
        let question = Question::Acquire(open.number, Arc::clone(&entry.claim), entry.asked);
        let time = self.answer_timeout();
        self.start(now, question, Purpose::Acquire(id), time);
    }

    /// Its asker is told so if there is no answer from now on.
    pub(super) fn be_patient(&mut self, now: u64, id: Id) {
        let alarm = Alarm::Patience(id);
        if !self.alarms.is_set(alarm) {
            let end = now.saturating_add(self.answer_timeout());
            self.alarms.set(alarm, end);
        }
    }

    /// The server has answered a question for a lock that was sent at a time.
    pub(super) fn acquired(&mut self, now: u64, id: Id, sent: u64, result: Result<Answer, Fault>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let is_wanted = entry.is_wanted;
        match result {
            Ok(Answer::Granted(fence)) => self.granted(now, id, sent, fence),
            Ok(Answer::Busy(taken)) => self.busy(now, id, sent, taken),
            Err(Fault::Refused(cause)) => {
                let trouble = trouble(cause);
                self.refuse(now, id, News::Unavailable(trouble));
            }
            Err(Fault::NotDone(cause)) => {
                entry.phase = Phase::Wanted;
                entry.trouble = Some(trouble(cause));
                if is_wanted {
                    self.try_later(now, id);
                } else {
                    self.leave(now, id);
                }
            }
            Err(Fault::Unknown(cause) | Fault::Over(cause)) => {
                entry.failures += 1;
                entry.trouble = Some(trouble(cause));
                let claim = Arc::clone(&entry.claim);
                self.set_adrift(now, claim);
                self.begin_release(now, id);
            }
        }
    }

    /// The server has granted it, after a time at which its own lease begins, if it has one.
    fn granted(&mut self, now: u64, id: Id, sent: u64, fence: u64) {
        let (Link::Open(open), Some(entry)) = (self.link, self.entries.get_mut(&id)) else {
            return;
        };
        self.failures = 0;
        let has_own = !self.rules.shape.one_lease;
        let proven = if has_own { sent } else { open.proven };
        let deadline = end_of(open.lease, proven);
        if !entry.is_wanted || entry.is_doubted || deadline <= now {
            entry.failures += 1;
            return self.begin_release(now, id);
        }
        entry.phase = Phase::Held(deadline);
        entry.failures = 0;
        entry.trouble = None;
        if !self.rules.shape.fair {
            let names = self.names.len();
            self.runs.begin(now, &entry.claim.name, names);
        }
        self.alarms.clear(Alarm::Patience(id));
        if has_own {
            self.leases.add((deadline, id));
        }
        self.tell(id, News::Granted { fence, deadline });
    }

    fn busy(&mut self, now: u64, id: Id, sent: u64, taken: Option<Taken>) {
        let (Link::Open(open), Some(entry)) = (self.link, self.entries.get_mut(&id)) else {
            return;
        };
        self.failures = 0;
        entry.failures = 0;
        entry.trouble = None;
        if entry.asked == Asked::Once {
            self.tell(id, News::Busy(taken));
            return self.forget(now, id);
        }
        entry.busy_at = sent;
        entry.is_known = true;
        if !entry.is_wanted {
            return self.begin_release(now, id);
        }
        self.alarms.clear(Alarm::Patience(id));
        let question = Question::Freed(open.number, Arc::clone(&entry.claim));
        self.tell(id, News::Busy(taken));
        // What the server tells by itself gets lost, so it is asked again from time to time; which
        // also shows whether it is there.
        let call = self.start(now, question, Purpose::Freed(id), open.lease / 3);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.phase = Phase::Waiting(call);
        }
    }

    /// A claim that waits is worth another question, or has the lock.
    pub(super) fn freed(&mut self, now: u64, id: Id, result: Result<Freed, Fault>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.phase = Phase::Wanted;
        match result {
            Ok(Freed::Granted(fence)) => {
                // The server may have said so long ago, and the process not have run since.
                let sent = entry.busy_at;
                self.granted(now, id, sent, fence);
            }
            Ok(Freed::Ask) => {
                // Another claim of the name may be on its way out, and not be answered either.
                self.be_patient(now, id);
                self.go_on(now, id);
            }
            Err(Fault::Refused(cause)) => self.refuse(now, id, News::Unavailable(trouble(cause))),
            Err(Fault::NotDone(cause) | Fault::Unknown(cause) | Fault::Over(cause)) => {
                entry.trouble = Some(trouble(cause));
                self.try_later(now, id);
            }
        }
    }

    /// Asks for it again after a pause.
    fn try_later(&mut self, now: u64, id: Id) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.failures += 1;
        let failures = entry.failures;
        self.be_patient(now, id);
        let pause = self.pause(failures);
        self.alarms.set(Alarm::Again(id), now.saturating_add(pause));
    }

    /// Ends a claim whose asker is told why.
    pub(super) fn refuse(&mut self, now: u64, id: Id, news: News) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if entry.is_wanted {
            self.tell(id, news);
        }
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        // The server has nothing of the question, see `Fault::Refused`.
        if entry.phase == Phase::Asking {
            entry.phase = Phase::Wanted;
        }
        self.leave(now, id);
    }

    /// Nobody wants it any more: the asker has gone, or the guard was dropped.
    pub(super) fn leave(&mut self, now: u64, id: Id) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.is_wanted = false;
        match entry.phase {
            Phase::Wanted if !entry.is_known => self.forget(now, id),
            Phase::Wanted => self.begin_release(now, id),
            Phase::Asking | Phase::Leaving | Phase::Releasing(_) => {}
            Phase::Waiting(call) => {
                self.abort(call);
                self.begin_release(now, id);
            }
            Phase::Held(deadline) => {
                self.leases.remove(&(deadline, id));
                self.begin_release(now, id);
            }
            Phase::Lost => {
                let is_gone = self.rules.shape.one_lease && !self.is_of_session(id);
                if is_gone {
                    self.is_out(now, id, false);
                } else {
                    self.begin_release(now, id);
                }
            }
        }
    }

    /// Whether the session is the one that the claim was asked for in.
    fn is_of_session(&self, id: Id) -> bool {
        let session = self.entries[&id].session;
        matches!(self.link, Link::Open(open) if open.number == session)
    }

    /// Gives it back, as somebody's who may or may not have it.
    pub(super) fn begin_release(&mut self, now: u64, id: Id) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.phase = Phase::Leaving;
        self.alarms.clear(Alarm::Again(id));
        if !self.alarms.is_set(Alarm::GiveUp(id)) {
            let end = now.saturating_add(self.lease());
            self.alarms.set(Alarm::GiveUp(id), end);
        }
        self.be_patient(now, id);
        self.go_on(now, id);
    }

    fn start_release(&mut self, now: u64, id: Id) {
        let (Link::Open(open), Some(entry)) = (self.link, self.entries.get(&id)) else {
            return;
        };
        let claim = Arc::clone(&entry.claim);
        let name = claim.name.clone();
        self.runs.release(now, &name);
        let question = Question::Release(open.number, claim);
        let call = self.start(now, question, Purpose::Release(id), self.answer_timeout());
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.phase = Phase::Releasing(call);
        }
        if self.rules.shape.ordered {
            self.unblock(now, &name);
        }
    }

    /// The server has answered a release, whether it was held; or there is no answer.
    pub(super) fn released(&mut self, now: u64, id: Id, result: Result<bool, Fault>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        match result {
            Ok(was_held) => {
                self.failures = 0;
                self.is_out(now, id, was_held);
            }
            Err(fault) => {
                entry.phase = Phase::Leaving;
                entry.trouble = Some(trouble(fault.into_cause()));
                self.try_later(now, id);
            }
        }
    }

    /// The server has nothing of it any more.
    fn is_out(&mut self, now: u64, id: Id, was_held: bool) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        self.alarms.clear(Alarm::GiveUp(id));
        if !entry.is_wanted {
            self.tell(id, News::Released(was_held));
            return self.forget(now, id);
        }
        // Its asker is there still: it is asked for again.
        replace_nonce(&mut self.nonces, entry, id);
        entry.phase = Phase::Wanted;
        entry.is_known = false;
        let name = entry.claim.name.clone();
        if entry.failures > 0 {
            self.try_later(now, id);
        }
        self.go_on(now, id);
        self.unblock(now, &name);
    }

    /// There is no lease any more that an unanswered release would be of: the session is given up
    /// whose lease it was, or the claim is over by itself.
    pub(super) fn give_up(&mut self, now: u64, id: Id) {
        if self.rules.shape.one_lease {
            return self.over(now, self.silent(), LostBy::Session);
        }
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if let Phase::Releasing(call) = entry.phase {
            entry.phase = Phase::Leaving;
            self.abort(call);
        }
        if !self.entries[&id].is_wanted {
            self.tell(id, News::Unreleased(self.why(id)));
            return self.forget(now, id);
        }
        self.is_out(now, id, false);
    }

    /// The asker has waited long enough.
    pub(super) fn lose_patience(&mut self, now: u64, id: Id) {
        let Some(entry) = self.entries.get(&id) else {
            return self.stop_looking(id);
        };
        let (phase, is_wanted) = (entry.phase, entry.is_wanted);
        let patience = self.heard.saturating_add(self.answer_timeout());
        // It has answered others.
        if self.line.contains_key(&id) && patience > now {
            return self.alarms.set(Alarm::Patience(id), patience);
        }
        match phase {
            Phase::Held(_) | Phase::Lost => {}
            _ if is_wanted => {
                self.tell(id, News::Unavailable(self.why(id)));
                self.leave(now, id);
            }
            _ => self.tell(id, News::Unreleased(self.why(id))),
        }
    }

    /// A held claim is lost, which its guard is told.
    pub(super) fn lose(&mut self, id: Id, by: LostBy) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if let Phase::Held(deadline) = entry.phase {
            entry.phase = Phase::Lost;
            self.leases.remove(&(deadline, id));
            self.tell(id, News::Lost(by));
        }
    }

    /// The server, or the connection, says that a claim is lost.
    pub(super) fn claim_lost(&mut self, now: u64, nonce: u128) {
        let Some(&id) = self.nonces.get(&nonce) else {
            return;
        };
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        match entry.phase {
            Phase::Held(_) => self.lose(id, LostBy::Server),
            Phase::Asking => entry.is_doubted = true,
            Phase::Waiting(call) => {
                entry.phase = Phase::Wanted;
                self.abort(call);
                self.be_patient(now, id);
                self.go_on(now, id);
            }
            Phase::Wanted | Phase::Lost | Phase::Leaving | Phase::Releasing(_) => {}
        }
    }

    /// The session is over that a question of a claim was asked in.
    pub(super) fn cut_off(&mut self, now: u64, id: Id, _: Ended) {
        let is_over = self.rules.shape.one_lease;
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.is_known &= !is_over;
        match entry.phase {
            Phase::Held(_) | Phase::Lost => {}
            Phase::Leaving | Phase::Releasing(_) if is_over => self.is_out(now, id, false),
            Phase::Asking if is_over && !entry.is_wanted => self.forget(now, id),
            Phase::Asking if !is_over => self.begin_release(now, id),
            Phase::Leaving | Phase::Releasing(_) => {
                entry.phase = Phase::Leaving;
                self.go_on(now, id);
            }
            Phase::Wanted | Phase::Asking | Phase::Waiting(_) => {
                entry.phase = Phase::Wanted;
                if is_over {
                    replace_nonce(&mut self.nonces, entry, id);
                }
                self.be_patient(now, id);
                self.go_on(now, id);
            }
        }
    }

    fn forget(&mut self, now: u64, id: Id) {
        let Some(Entry { claim, .. }) = self.entries.remove(&id) else {
            return;
        };
        self.nonces.remove(&claim.nonce);
        self.line.remove(&id);
        if let Some(ids) = self.names.get_mut(&claim.name) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.names.remove(&claim.name);
            }
        }
        for alarm in [Alarm::Patience(id), Alarm::Again(id), Alarm::GiveUp(id)] {
            self.alarms.clear(alarm);
        }
        self.effects.push_back(Effect::Forget(id));
        self.runs.released(now, &claim.name);
        self.unblock(now, &claim.name);
    }
}

/// Has a claim be asked for as another one: the release of the one before, or a question for it in a
/// session that is over, may still be under way, and would take away what is granted now.
fn replace_nonce(nonces: &mut OrderedMap<u128, Id>, entry: &mut Entry, id: Id) {
    nonces.remove(&entry.claim.nonce);
    let claim = Arc::make_mut(&mut entry.claim);
    claim.nonce = claim.nonce.wrapping_add(1);
    nonces.insert(claim.nonce, id);
}
