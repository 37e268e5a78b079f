//! What a process does with what happens to it: it drives its protocol, and its claims come and go.

use super::checker::{Hold, Owed};
use super::claim::{BadNews, Claimed, State, claim_of, numbered};
use super::network::is_settled;
use super::process::{Input, Request, Who, lost};
use super::schedule::{MILLISECOND, What, number_of};
use super::told::refused;
use super::world::{Address, World};
use crate::agent::Message;
use crate::asker;
use crate::clock;
use crate::protocol::{Call, Effect, Id, Look, LostBy, News, Outcome, Question};
use crate::store::{Asked, Claim, Fault, Freed, Kept, Loss};
use std::sync::Arc;

impl World {
    /// Something happens to a process, which runs.
    pub(super) fn handle(&mut self, process: usize, input: Input) {
        let now = self.clock(process);
        clock::simulate(now);
        if !matches!(input, Input::Wake) {
            self.note(|| format!("p{process} <- {input:?}"));
        }
        match input {
            Input::Wake => {
                self.processes[process].wake = None;
                self.processes[process].protocol.pass(now);
                self.perform(process, 0);
            }
            Input::Answered(call, outcome, session, epoch) => {
                self.answered(process, call, outcome, (session, epoch));
            }
            Input::Lost(session, loss) => self.lost(process, session, loss),
            Input::Close => {
                self.processes[process].protocol.close(now);
                self.perform(process, 0);
            }
            Input::Look => self.look(process, now),
            Input::Step(asker, step) => self.step(asker, step),
        }
        self.plan_steps(process);
        self.plan_wake(process);
    }

    /// Whoever has to be told something by now has been.
    pub(super) fn look_at(&mut self, process: usize) {
        let now = self.clock(process);
        self.checker.process_at(process, now);
        self.look_for_silence(process, now);
        self.look_at_guards(process, now);
    }

    /// Somebody asks who holds what, and doesn't wait for the answer.
    fn look(&mut self, process: usize, now: u64) {
        let there = &mut self.processes[process];
        let agent = there.space.engine().agent();
        let id = agent.look(Look::All, &Arc::default());
        if let Ok(Message::Look(id, look, _)) = there.messages.try_recv() {
            there.protocol.look(now, id, look);
        }
        there.ids.insert(id, Who::Looker(now));
        self.perform(process, 0);
    }

    fn answered(
        &mut self,
        process: usize,
        call: Call,
        outcome: Outcome,
        (session, epoch): (u64, u64),
    ) {
        let now = self.clock(process);
        let Some(pending) = self.processes[process].calls.remove(&call) else {
            // It was called off.
            if session != 0 && self.setting.ends_with_connection {
                self.server.close(session);
            }
            return;
        };
        let is_opened = matches!(outcome, Outcome::Opened(Ok(_)));
        if is_opened {
            self.remember(process, call, session);
            self.processes[process].in_vain.0 = 0;
        }
        let refused = refused(&pending.request, &outcome);
        let claims = match &pending.request {
            Request::Renew(claims) => lost(claims, &outcome),
            _ => Vec::new(),
        };
        if let Request::Acquire(claim, asked) = &pending.request {
            if is_settled(*asked, &outcome) {
                self.checker.owed.remove(&(process, claim.nonce));
            }
        }
        if let (Request::Release(claim), Outcome::Released(Ok(_))) = (&pending.request, &outcome) {
            if let Some((_, is_answered)) = self.released.get_mut(&claim.nonce) {
                *is_answered = true;
            }
        }
        let over = is_over(&outcome).then_some(pending.session).flatten();
        match &outcome {
            Outcome::Renewed(Ok(Kept::All | Kept::AllBut(_))) => self.count("renewals"),
            Outcome::Freed(Ok(Freed::Granted(_))) => self.count("handed over"),
            _ => {}
        }
        self.processes[process]
            .protocol
            .answered(now, call, outcome);
        self.perform(process, epoch);
        self.checker
            .is_lost("a renewal says so", |hold| claims.contains(&hold.nonce));
        if is_opened && !self.setting.shape.one_lease {
            self.look_for_renewal(process);
        }
        // With a session that is over by time in this moment, the question was called off.
        let connections = &self.processes[process].connections;
        let is_over = pending.session.is_some_and(|of| connections[&of].is_broken);
        if let Some(refused) = refused.filter(|_| !is_over) {
            self.look_who_was_refused(process, refused);
        }
        self.session_over(process, over);
    }

    fn lost(&mut self, process: usize, session: Call, loss: Loss) {
        let now = self.clock(process);
        let connection = self.processes[process].connections.get(&session);
        let is_broken = connection.is_none_or(|connection| connection.is_broken);
        if is_broken && matches!(loss, Loss::Claim(_)) {
            return;
        }
        let (claim, over) = match &loss {
            Loss::Claim(nonce) => (Some(*nonce), None),
            Loss::Session(_) => (None, Some(session)),
        };
        if let Some(claim) = claim {
            self.known_lost.insert(claim);
            // It is asked for again at once.
            let claim = &mut self.claims[claim_of(claim)];
            (claim.since, claim.was_busy) = (now, false);
        }
        let others = over.map(|over| self.believers(process, over, now));
        self.processes[process].protocol.lost(now, session, loss);
        self.perform(process, 0);
        self.look_who_was_spared(&others.unwrap_or_default());
        self.checker.is_lost("the server says so", |hold| {
            Some(hold.nonce) == claim && hold.session == session
        });
        self.session_over(process, over);
    }

    fn session_over(&mut self, process: usize, session: Option<Call>) {
        if self.setting.shape.one_lease {
            self.checker.is_lost("its session is over", |hold| {
                hold.process == process && Some(hold.session) == session
            });
        }
    }

    /// Does what the protocol wants to be done.
    fn perform(&mut self, process: usize, epoch: u64) {
        while let Some(effect) = self.processes[process].protocol.effect() {
            match effect {
                Effect::Start(call, question) => self.start(process, call, question),
                Effect::Abort(call) => {
                    self.note(|| format!("p{process} calls {call:?} off"));
                    self.processes[process].calls.remove(&call);
                }
                Effect::Tell(id, news) => {
                    self.note(|| format!("p{process} {id:?}: {news:?}"));
                    match self.who(process, id) {
                        Some(Who::Claim(claim)) => self.tell(claim, news, epoch),
                        Some(Who::Looker(_)) => {}
                        None => self.checker.fail(format!("{id:?} was forgotten")),
                    }
                }
                Effect::Renewed(ids, deadline) => {
                    self.note(|| format!("p{process} {ids:?} until {deadline}"));
                    for id in ids {
                        match self.who(process, id) {
                            Some(Who::Claim(claim)) => self.renewed(claim, deadline),
                            _ => self.checker.fail(format!("{id:?} holds nothing")),
                        }
                    }
                }
                Effect::Forget(id) => self.forget(process, id),
            }
        }
    }

    fn start(&mut self, process: usize, call: Call, question: Question) {
        self.note(|| format!("p{process} asks {call:?} {question:?}"));
        let now = self.clock(process);
        let (session, request) = match question {
            Question::Open => {
                self.look_for_pause(process, now);
                (None, Request::Open)
            }
            Question::Acquire(session, claim, asked) => {
                let owed = Owed {
                    session,
                    since: now,
                };
                self.forgive(process, claim_of(claim.nonce));
                self.known_lost.remove(&claim.nonce);
                self.checker.owed.insert((process, claim.nonce), owed);
                self.claims[claim_of(claim.nonce)].nonce = claim.nonce;
                (Some(session), Request::Acquire(claim, asked))
            }
            Question::Freed(session, claim) => (Some(session), Request::Freed(claim)),
            Question::Release(session, claim) => {
                self.checker.owed.remove(&(process, claim.nonce));
                let first = (self.now, false);
                self.released.entry(claim.nonce).or_insert(first);
                (Some(session), Request::Release(claim))
            }
            Question::Renew(session, claims) => (Some(session), Request::Renew(claims)),
            Question::Holders(session, _) => (Some(session), Request::Holders),
            Question::Close(session) => {
                if self.setting.shape.one_lease {
                    self.checker
                        .owed
                        .retain(|(owing, _), owed| *owing != process || owed.session != session);
                }
                (Some(session), Request::Close)
            }
        };
        let life = self.processes[process].life;
        let from = Address {
            process,
            life,
            call,
        };
        self.send(from, session, request);
        if let Some(what) = self.processes[process].trap.take() {
            self.spring(what);
        }
    }

    /// Something goes wrong right now.
    fn spring(&mut self, mut what: What) {
        let left = self.setting.faults_end.saturating_sub(self.now);
        if let What::Pause { time, .. } | What::Cut { time, .. } | What::Swallow { time, .. } =
            &mut what
        {
            *time = left.min(*time);
        }
        if left > 0 {
            self.note(|| format!("** {what:?}"));
            self.act(what);
        }
    }

    /// Somebody in a process asks for a lock, which its agent is to tell of it.
    pub(super) fn claim(
        &mut self,
        process: usize,
        asker: usize,
        (id, claim, how): (Id, &Claim, Asked),
        told: asker::Asker,
    ) {
        let now = self.clock(process);
        let number = self.claims.len();
        let claim = numbered(claim, number);
        self.note(|| format!("p{process} asker {asker} makes claim {number} as {id:?}"));
        self.claims.push(Claimed {
            process,
            life: self.processes[process].life,
            asker,
            came: self.askers[asker].came,
            name: number_of(&claim.name),
            is_shared: claim.shared,
            asked: how,
            state: State::Asking,
            nonce: claim.nonce,
            since: now,
            was_busy: false,
            bad_news: None,
            left: 0,
            was_held: None,
            told: Some(told),
        });
        let there = &mut self.processes[process];
        there.ids.insert(id, Who::Claim(number));
        there.protocol.ask(now, id, claim, how);
        self.perform(process, 0);
    }

    /// Somebody has gone who has asked, or its guard has.
    pub(super) fn let_go(&mut self, process: usize, id: Id) {
        let now = self.clock(process);
        let claim = match self.who(process, id) {
            Some(Who::Claim(claim)) => Some(claim),
            _ => None,
        };
        let mut is_over = false;
        if let Some(claim) = claim {
            match self.claims[claim].state {
                State::Asking => self.done(claim),
                State::Holding => {
                    let hold = &self.checker.holds[&claim];
                    is_over = hold.is_had && hold.deadline <= now;
                    self.checker.ended(claim);
                    let there = &mut self.claims[claim];
                    there.state = State::Releasing;
                    (there.since, there.was_busy) = (now, false);
                    there.left = self.now;
                }
                State::Releasing | State::Done => {}
            }
        }
        self.processes[process].protocol.release(now, id);
        self.perform(process, 0);
        if claim.is_some_and(|claim| is_over && !self.claims[claim].is_told_of(BadNews::Loss)) {
            let wrong = format!("nobody is told that claim {claim:?} was lost when it is released");
            self.checker.fail(wrong);
        }
    }

    /// It is told until when a claim is held.
    fn renewed(&mut self, claim: usize, deadline: u64) {
        let there = &self.claims[claim];
        if let Some(told) = &there.told {
            told.renewed(deadline);
        }
        let now = self.clock(there.process);
        self.compare(claim, deadline);
        self.checker.renewed(claim, deadline, now);
    }

    /// Whoever has made a claim is told something.
    fn tell(&mut self, claim: usize, news: News, epoch: u64) {
        let there = &self.claims[claim];
        let now = self.clock(there.process);
        let (state, asked, came) = (there.state, there.asked, there.came);
        match &news {
            News::Granted { fence, deadline } => self.grant(claim, *fence, *deadline, epoch),
            News::Lost(by) => {
                self.count(match by {
                    LostBy::Time => "lost by time",
                    LostBy::Server => "lost by the server",
                    LostBy::Session => "lost with the session",
                });
                self.checker.ended(claim);
                self.claims[claim].bad_news = Some(BadNews::Loss);
                self.claims[claim].since = now;
                if self.setting.is_mild() {
                    let wrong = format!("claim {claim} is lost by {by:?}, for no reason");
                    self.checker.fail(wrong);
                }
            }
            News::Busy(_) => {
                self.count("busy");
                self.claims[claim].since = now;
                self.claims[claim].was_busy = true;
                if asked == Asked::Once {
                    self.done(claim);
                }
            }
            News::Unavailable(trouble) => {
                self.count("unavailable");
                if came >= self.setting.recovered && !self.setting.is_left() {
                    self.checker.fail(format!(
                        "claim {claim} is told of trouble too late: {trouble}"
                    ));
                }
                self.claims[claim].bad_news = Some(BadNews::Trouble);
                self.done(claim);
            }
            News::Released(_) | News::Unreleased(_) => {
                let was_held = matches!(news, News::Released(true));
                self.claims[claim].was_held.get_or_insert(was_held);
                if state == State::Releasing {
                    self.claims[claim].state = State::Done;
                }
            }
            News::Seen(_) => self.checker.fail("nobody wants to see".to_owned()),
        }
        if let Some(told) = &mut self.claims[claim].told {
            told.tell(news);
        }
    }

    fn grant(&mut self, claim: usize, fence: u64, deadline: u64, epoch: u64) {
        let there = &self.claims[claim];
        let (process, name, state, nonce) = (there.process, there.name, there.state, there.nonce);
        let shared = there.is_shared;
        if state != State::Asking {
            return self
                .checker
                .fail(format!("claim {claim} is {state:?}, and gets the lock"));
        }
        if self.known_lost.contains(&nonce) {
            let wrong = format!("claim {claim} gets what was lost before");
            self.checker.fail(wrong);
        }
        self.count("grants");
        self.compare(claim, deadline);
        self.claims[claim].state = State::Holding;
        let sessions = self.processes[process].connections.keys();
        let hold = Hold {
            process,
            name,
            shared,
            fence,
            deadline,
            epoch,
            is_had: true,
            session: *sessions.last().expect("a session"),
            nonce,
        };
        self.believe(claim, hold);
    }

    fn forget(&mut self, process: usize, id: Id) {
        let who = self.processes[process].ids.remove(&id);
        let Some(Who::Claim(claim)) = who else { return };
        self.claims[claim].told = None;
        if self.claims[claim].state != State::Done {
            let state = self.claims[claim].state;
            self.checker
                .fail(format!("claim {claim} is {state:?}, and forgotten"));
        }
        self.forgive(process, claim);
    }

    /// Whatever of a claim wasn't released is over by itself after a lease.
    fn forgive(&mut self, process: usize, claim: usize) {
        let now = self.clock(process);
        let least = self.setting.lease - self.setting.lease / 10;
        let key = (process, self.claims[claim].nonce);
        let owed = &mut self.checker.owed;
        if owed.get(&key).is_some_and(|owed| now - owed.since >= least) {
            owed.remove(&key);
        }
    }

    /// Nobody wants a claim any more.
    fn done(&mut self, claim: usize) {
        self.claims[claim].state = State::Done;
        self.claims[claim].left = self.now;
    }

    /// Comes back in time.
    fn plan_wake(&mut self, process: usize) {
        let Some(next) = self.processes[process].protocol.next() else {
            return;
        };
        let at = self.moment(process, next).max(self.now);
        let there = &self.processes[process];
        if there.wake.is_some_and(|wake| wake <= at && wake > self.now) {
            return;
        }
        // A busy machine has late timers.
        let late = if self.chance.one_in(8) {
            self.chance.time(20 * MILLISECOND)
        } else {
            0
        };
        self.processes[process].wake = Some(at + late);
        self.input(at + late - self.now, process, Input::Wake);
    }
}

fn is_over(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Acquired(Err(Fault::Over(_)))
            | Outcome::Freed(Err(Fault::Over(_)))
            | Outcome::Released(Err(Fault::Over(_)))
            | Outcome::Renewed(Err(Fault::Over(_)))
            | Outcome::Seen(Err(Fault::Over(_)))
    )
}
