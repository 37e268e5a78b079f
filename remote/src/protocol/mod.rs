//! When to ask the server for what: a state machine without I/O, threads and clock.
//!
//! Whoever drives it says what has happened, and when by the process's own clock, in nanoseconds:
//! that somebody asks for a lock or releases it, what a question to the server has come to, that
//! time has passed. Then it does the [`Effect`]s, in their order, until there is none, and comes back
//! at [`Protocol::next`] at the latest. The same inputs give the same effects.
//!
//! What it sees to:
//!
//! - A hold is lost, whatever the server and the network do, when its lease is over by the own
//!   clock, less a tenth: counted from before the last question was sent that the server has
//!   acknowledged. Until then the lease is renewed each third of it.
//! - A question that isn't answered in time is called off. Whether the server has done it, or will
//!   do it, nobody knows then; so what was asked for is released before it is asked for again.
//!   A release is repeated until it is answered, or there is no lease any more that it could be of.
//! - Where the lease is the session's, all is lost with it; else the next session goes on renewing.
//! - Who asks is told when the server hasn't answered for too long, and waits no longer. Until
//!   then it survives any fault. While the process stands still the server isn't silent.
//! - So many locks are asked for or released at a time; the others are in line, and have patience as long as the
//!   server answers anybody.
//! - What is granted to somebody who has gone is released.
//!   If the question may overtake the release, that is done once more, see `adrift`.
//! - A name is not asked for while another claim of it is on its way out; and after some time, not
//!   before other processes have had their chance, see `pace`.
//!
//! `said` has what goes in and out, `state` what is known. `claims` are asked for and released,
//! `session` is how the server is connected to, `renewal` has the leases, and `looks` the
//! questions about holders.

mod adrift;
mod alarms;
mod claims;
mod looks;
mod pace;
mod renewal;
mod said;
mod session;
mod state;
#[cfg(test)]
mod tests;

pub use said::{Call, Effect, Id, Look, LostBy, News, Outcome, Question, Rules, Trouble};
pub use state::Protocol;

use crate::store::{Asked, Claim, Fault, Freed, Loss};
use alarms::Alarm;
use said::{Silent, trouble};
use state::{Entry, Link, Looking, Phase, Purpose, UnderWay};
use std::sync::Arc;

impl Protocol {
    /// Somebody asks for a lock.
    pub fn ask(&mut self, now: u64, id: Id, claim: Arc<Claim>, asked: Asked) {
        self.catch_up(now);
        self.closing = false;
        self.insert(id, claim, asked);
        self.be_patient(now, id);
        self.go_on(now, id);
        self.settle(now);
    }

    /// Somebody asks who holds what.
    pub fn look(&mut self, now: u64, id: Id, look: Look) {
        self.catch_up(now);
        self.closing = false;
        self.looks.insert(id, Looking::new(look));
        self.be_patient(now, id);
        self.go_on_looking(now, id);
        self.settle(now);
    }

    /// Somebody who asked has gone, or a guard is dropped. What was granted is released.
    pub fn release(&mut self, now: u64, id: Id) {
        self.catch_up(now);
        if self.looks.remove(&id).is_some() {
            self.end_look(id);
        }
        self.leave(now, id);
        self.settle(now);
    }

    /// A question has been answered.
    pub fn answered(&mut self, now: u64, call: Call, outcome: Outcome) {
        self.catch_up(now);
        // It may have been called off this moment.
        if let Some(UnderWay { purpose, sent }) = self.end_call(call) {
            self.heard = now;
            self.hear(now, (call, sent), purpose, outcome);
        }
        self.settle(now);
    }

    /// A session has said something by itself. Its number is that of the call that has opened it.
    pub fn lost(&mut self, now: u64, session: Call, loss: Loss) {
        self.catch_up(now);
        if matches!(self.link, Link::Open(open) if open.number == session) {
            match loss {
                Loss::Claim(nonce) => self.claim_lost(now, nonce),
                Loss::Session(fault) => {
                    let trouble = trouble(fault.into_cause());
                    self.over(now, trouble, LostBy::Session);
                }
            }
        }
        self.settle(now);
    }

    /// Time has passed.
    pub fn pass(&mut self, now: u64) {
        self.catch_up(now);
        while let Some(alarm) = self.alarms.pop(now) {
            match alarm {
                Alarm::Silent(call) => self.hear_nothing(now, call),
                Alarm::Patience(id) => self.lose_patience(now, id),
                Alarm::Again(id) => {
                    self.go_on(now, id);
                    self.go_on_looking(now, id);
                }
                Alarm::GiveUp(id) => self.give_up(now, id),
                Alarm::Renew => self.renew(now, false),
                Alarm::Sweep => self.sweep(now),
                Alarm::Open => self.rested(now),
            }
        }
        self.settle(now);
    }

    /// The session is to end as soon as nobody has or wants a lock. Whoever asks later has another
    /// one opened.
    pub fn close(&mut self, now: u64) {
        self.catch_up(now);
        self.closing = true;
        self.settle(now);
    }

    /// When time is to pass at the latest.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        let first = self.end_of_lease().into_iter().chain(self.alarms.next());
        first.min()
    }

    /// What is to be done first.
    pub fn effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Whether all is released that was dropped; and after [`Protocol::close`], whether the
    /// session is ended, unless somebody has or wants a lock.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_released = self.entries.values().all(|entry| entry.is_wanted);
        let is_used = !self.entries.is_empty() || !self.looks.is_empty();
        let is_ended = matches!(self.link, Link::Closed) && self.calls.is_empty();
        is_released && (is_used || !self.closing || is_ended)
    }

    /// Whether nothing is held, asked or under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.entries.is_empty() && self.looks.is_empty()
    }

    /// Whether a claim is held, as far as is known, by a clock that says this.
    #[must_use]
    pub fn is_held(&self, id: Id) -> bool {
        let entry = self.entries.get(&id);
        entry.is_some_and(|entry| matches!(entry.phase, Phase::Held(_)))
    }

    /// Does what comes before anything else that has happened: after the process stood still, thousands of answers and
    /// releases may be behind it.
    fn catch_up(&mut self, now: u64) {
        self.expire(now);
        if self.alarms.take(Alarm::Renew, now) {
            self.renew(now, false);
        }
    }

    fn settle(&mut self, now: u64) {
        self.go_on_in_line(now);
        self.plan_renewal();
        self.end_if_unused(now);
    }

    /// Deals with the answer to a question.
    fn hear(&mut self, now: u64, (call, sent): (Call, u64), purpose: Purpose, outcome: Outcome) {
        let outcome = match without_end(outcome) {
            Ok(outcome) => outcome,
            Err(fault) => {
                // It was under way in that session, as far as the claim knows.
                let trouble = trouble(fault.into_cause());
                return self.over(now, trouble, LostBy::Session);
            }
        };
        match (purpose, outcome) {
            (Purpose::Open, Outcome::Opened(result)) => self.opened(now, call, sent, result),
            (Purpose::Acquire(id), Outcome::Acquired(result)) => {
                self.acquired(now, id, sent, result);
            }
            (Purpose::Freed(id), Outcome::Freed(result)) => self.freed(now, id, result),
            (Purpose::Release(id), Outcome::Released(result)) => {
                self.released(now, id, result);
            }
            (Purpose::Renew(ids), Outcome::Renewed(result)) => {
                self.renewed(now, ids, sent, result);
            }
            (Purpose::Sweep(claim), Outcome::Released(result)) => {
                if result.is_err() {
                    self.set_adrift(now, claim);
                }
            }
            (Purpose::Look(id), Outcome::Seen(result)) => self.seen(now, id, result),
            (Purpose::Close, Outcome::Closed) => {}
            (purpose, outcome) => panic!("{outcome:?} is no answer to {purpose:?}"),
        }
    }

    /// Calls off a question that has not been answered. A session that is silent is given up
    /// where nothing is lost with it.
    fn hear_nothing(&mut self, now: u64, call: Call) {
        let Some(UnderWay { purpose, sent }) = self.end_call(call) else {
            return;
        };
        self.effects.push_back(Effect::Abort(call));
        let unknown = || Fault::Unknown(Box::new(Silent(self.rules.answer_timeout)));
        let (is_question, outcome) = match purpose {
            Purpose::Open => (false, Outcome::Opened(Err(unknown()))),
            // It says nothing where there is nothing to say.
            Purpose::Freed(_) => (false, Outcome::Freed(Ok(Freed::Ask))),
            Purpose::Close => (false, Outcome::Closed),
            Purpose::Acquire(_) => (true, Outcome::Acquired(Err(unknown()))),
            Purpose::Release(_) | Purpose::Sweep(_) => (true, Outcome::Released(Err(unknown()))),
            Purpose::Renew(_) => (true, Outcome::Renewed(Err(unknown()))),
            Purpose::Look(_) => (true, Outcome::Seen(Err(unknown()))),
        };
        let is_held = |entry: &Entry| matches!(entry.phase, Phase::Held(_));
        let is_in_use = self.entries.values().any(is_held);
        if is_question && !(self.rules.shape.one_lease && is_in_use) {
            return self.over(now, self.silent(), LostBy::Session);
        }
        self.hear(now, (call, sent), purpose, outcome);
    }
}

/// Splits off that the session is over, which is the same for all questions in it.
fn without_end(outcome: Outcome) -> Result<Outcome, Fault> {
    match outcome {
        Outcome::Acquired(Err(fault @ Fault::Over(_)))
        | Outcome::Freed(Err(fault @ Fault::Over(_)))
        | Outcome::Released(Err(fault @ Fault::Over(_)))
        | Outcome::Renewed(Err(fault @ Fault::Over(_)))
        | Outcome::Seen(Err(fault @ Fault::Over(_))) => Err(fault),
        outcome => Ok(outcome),
    }
}
