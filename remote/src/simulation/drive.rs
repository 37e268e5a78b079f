//! What a process does with what happens to it: it drives its protocol, and its askers come and go.

use super::checker::{Hold, Owed};
use super::network::is_settled;
use super::process::{Input, Request, State, Step, Who, lost};
use super::schedule::{MILLISECOND, What};
use super::told::refused;
use super::world::{Address, World, asker_of};
use crate::protocol::{Call, Effect, Id, Look, LostBy, News, Outcome, Question};
use crate::store::{Asked, Fault, Freed, Kept, Loss};
use std::sync::Arc;

impl World {
    /// Something happens to a process, which runs.
    pub(super) fn handle(&mut self, process: usize, input: Input) {
        let now = self.clock(process);
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
            Input::Look => {
                let there = &mut self.processes[process];
                let id = there.next_id(Who::Looker(now));
                there.protocol.look(now, id, Look::All);
                self.perform(process, 0);
            }
            Input::Step(asker, step) => self.step(asker, step),
            Input::Next(name) => self.next_in_line(process, name),
        }
        self.plan_wake(process);
    }

    /// Whoever has to be told something by now has been.
    pub(super) fn look_at(&mut self, process: usize) {
        let now = self.clock(process);
        self.checker.process_at(process, now);
        self.look_for_silence(process, now);
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
            let asker = &mut self.askers[asker_of(claim)];
            (asker.since, asker.was_busy) = (now, false);
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
                        Some(Who::Asker(asker)) => self.tell(asker, news, epoch),
                        Some(Who::Looker(_)) => {}
                        None => self.checker.fail(format!("{id:?} was forgotten")),
                    }
                }
                Effect::Renewed(ids, deadline) => {
                    self.note(|| format!("p{process} {ids:?} until {deadline}"));
                    for id in ids {
                        match self.who(process, id) {
                            Some(Who::Asker(asker)) => self.renewed(asker, deadline),
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
                self.forgive(process, asker_of(claim.nonce));
                self.known_lost.remove(&claim.nonce);
                self.checker.owed.insert((process, claim.nonce), owed);
                self.askers[asker_of(claim.nonce)].nonce = claim.nonce;
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

    /// An asker is told until when it has what it holds.
    fn renewed(&mut self, asker: usize, deadline: u64) {
        let now = self.clock(self.askers[asker].wish.process);
        self.compare(asker, deadline);
        self.checker.renewed(asker, deadline, now);
    }

    /// An asker is told something.
    fn tell(&mut self, asker: usize, news: News, epoch: u64) {
        let there = &mut self.askers[asker];
        let (process, wish) = (there.wish.process, there.wish.clone());
        let now = self.clock(process);
        let state = self.askers[asker].state;
        match news {
            News::Granted { fence, deadline } => self.grant(asker, fence, deadline, epoch),
            News::Lost(by) => {
                self.count(match by {
                    LostBy::Time => "lost by time",
                    LostBy::Server => "lost by the server",
                    LostBy::Session => "lost with the session",
                });
                self.checker.ended(asker);
                self.askers[asker].is_told_of_loss = true;
                if self.setting.is_mild() {
                    let wrong = format!("asker {asker} loses what it has by {by:?}, for no reason");
                    self.checker.fail(wrong);
                }
                if wish.heeds_loss && state == State::Holding {
                    let after = self.chance.below(MILLISECOND);
                    self.input(after, process, Input::Step(asker, Step::Release));
                }
            }
            News::Busy(_) => {
                self.count("busy");
                self.askers[asker].since = now;
                self.askers[asker].was_busy = true;
                if wish.asked == Asked::Once {
                    self.done(asker);
                }
            }
            News::Unavailable(trouble) => {
                self.count("unavailable");
                let recovered = self.setting.recovered;
                if self.askers[asker].came >= recovered && !self.setting.is_left() {
                    self.checker.fail(format!(
                        "asker {asker} is told of trouble too late: {trouble}"
                    ));
                }
                self.done(asker);
            }
            News::Released(_) | News::Unreleased(_) => {
                if state == State::Releasing {
                    self.askers[asker].state = State::Done;
                }
            }
            News::Seen(_) => self.checker.fail("nobody wants to see".to_owned()),
        }
    }

    fn grant(&mut self, asker: usize, fence: u64, deadline: u64, epoch: u64) {
        let there = &self.askers[asker];
        let (wish, state, nonce) = (there.wish.clone(), there.state, there.nonce);
        if state != State::Asking {
            return self
                .checker
                .fail(format!("asker {asker} is {state:?}, and gets the lock"));
        }
        if self.known_lost.contains(&nonce) {
            let wrong = format!("asker {asker} gets what was lost before");
            self.checker.fail(wrong);
        }
        self.count("grants");
        self.compare(asker, deadline);
        self.askers[asker].state = State::Holding;
        let sessions = self.processes[wish.process].connections.keys();
        let hold = Hold {
            process: wish.process,
            name: wish.name,
            shared: wish.is_shared,
            fence,
            deadline,
            epoch,
            is_had: true,
            session: *sessions.last().expect("a session"),
            nonce,
        };
        self.believe(asker, hold);
        self.input(wish.hold, wish.process, Input::Step(asker, Step::Release));
    }

    fn forget(&mut self, process: usize, id: Id) {
        let who = self.processes[process].ids.remove(&id);
        let Some(Who::Asker(asker)) = who else { return };
        if self.askers[asker].state != State::Done {
            let state = self.askers[asker].state;
            self.checker
                .fail(format!("asker {asker} is {state:?}, and forgotten"));
        }
        self.forgive(process, asker);
    }

    /// Whatever an asker had that wasn't released is over by itself after a lease.
    fn forgive(&mut self, process: usize, asker: usize) {
        let now = self.clock(process);
        let least = self.setting.lease - self.setting.lease / 10;
        let key = (process, self.askers[asker].nonce);
        let owed = &mut self.checker.owed;
        if owed.get(&key).is_some_and(|owed| now - owed.since >= least) {
            owed.remove(&key);
        }
    }

    /// Has an asker do something.
    fn step(&mut self, asker: usize, step: Step) {
        let there = &mut self.askers[asker];
        let (process, name) = (there.wish.process, there.wish.name);
        let id = there.id;
        let now = self.clock(process);
        match (step, self.askers[asker].state) {
            (Step::Come, _) => {
                if let Some(patience) = self.askers[asker].wish.patience {
                    self.input(patience, process, Input::Step(asker, Step::GiveUp));
                }
                let lines = &mut self.processes[process].lines;
                lines.entry(name).or_default().push_back(asker);
                self.next_in_line(process, name);
            }
            (Step::GiveUp, State::InLine) => {
                let lines = &mut self.processes[process].lines;
                lines
                    .entry(name)
                    .or_default()
                    .retain(|other| *other != asker);
                self.done(asker);
            }
            (Step::GiveUp, State::Asking) => {
                self.count("gave up");
                self.done(asker);
                self.processes[process].protocol.release(now, id);
                self.perform(process, 0);
            }
            (Step::Release, State::Holding) => {
                let hold = &self.checker.holds[&asker];
                let is_over = hold.is_had && hold.deadline <= now;
                self.checker.ended(asker);
                self.askers[asker].state = State::Releasing;
                self.askers[asker].left = self.now;
                self.askers[asker].since = now;
                self.askers[asker].was_busy = false;
                self.processes[process].protocol.release(now, id);
                self.perform(process, 0);
                if is_over && !self.askers[asker].is_told_of_loss {
                    let wrong = format!("asker {asker} isn't told that what it releases was lost");
                    self.checker.fail(wrong);
                }
                self.pass_on(process, name);
            }
            _ => {}
        }
    }

    /// An asker wants nothing any more.
    fn done(&mut self, asker: usize) {
        self.askers[asker].state = State::Done;
        self.askers[asker].left = self.now;
        let (process, name) = {
            let wish = &self.askers[asker].wish;
            (wish.process, wish.name)
        };
        self.pass_on(process, name);
    }

    fn pass_on(&mut self, process: usize, name: u64) {
        let after = self.chance.of(&[0, 0, MILLISECOND]);
        self.input(after, process, Input::Next(name));
    }

    /// Lets those ask who are first in line.
    fn next_in_line(&mut self, process: usize, name: u64) {
        let life = self.processes[process].life;
        loop {
            let waiting = self.processes[process].lines.get(&name);
            let Some(&first) = waiting.and_then(|waiting| waiting.front()) else {
                return;
            };
            let is_shared = self.askers[first].wish.is_shared;
            let mut others = self.askers.iter().filter(|asker| {
                let is_here = asker.wish.process == process && asker.life == life;
                let has_it = matches!(asker.state, State::Asking | State::Holding);
                is_here && has_it && asker.wish.name == name
            });
            if others.any(|other| !(is_shared && other.wish.is_shared)) {
                return;
            }
            let now = self.clock(process);
            let there = &mut self.processes[process];
            there.lines.entry(name).or_default().pop_front();
            let id = there.next_id(Who::Asker(first));
            let asker = &mut self.askers[first];
            asker.id = id;
            asker.state = State::Asking;
            asker.since = now;
            let (claim, how) = (Arc::clone(&asker.claim), asker.wish.asked);
            self.note(|| format!("p{process} asker {first} asks as {id:?}"));
            let protocol = &mut self.processes[process].protocol;
            protocol.ask(now, id, claim, how);
            self.perform(process, 0);
        }
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
