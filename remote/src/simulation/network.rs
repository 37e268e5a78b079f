//! Requests and answers on their way, and what the server does with them.

use super::process::{Input, Pending, Request};
use super::schedule::{MILLISECOND, Queue};
use super::world::{Address, Happening, World};
use crate::fake::NoSession;
use crate::protocol::{Call, Outcome};
use crate::store::{Answer, Asked, Cause, Fault, Freed, Loss};
use std::sync::Arc;
use std::time::Duration;

impl World {
    /// A process asks the server.
    pub(super) fn send(&mut self, from: Address, session: Option<Call>, request: Request) {
        let there = &self.processes[from.process];
        let connection = session.map(|session| &there.connections[&session]);
        if connection.is_some_and(|connection| connection.is_broken) {
            let outcome = over(&request);
            self.pending(from, Pending { session, request });
            let delay = self.chance.below(MILLISECOND);
            return self.answer_after(from, delay, outcome, 0);
        }
        let number = connection.map_or(0, |connection| connection.session);
        // A connection resends what is lost, or breaks.
        let is_stream = self.setting.shape.ordered;
        let copies = match self.chance.below(50) {
            _ if connection.is_some_and(|connection| connection.is_deaf) => 0,
            0 if self.is_wild() && !is_stream => 0,
            1 if self.is_wild() && !is_stream && !self.setting.shape.one_lease => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let Some(delay) = self.delay(from.process) else {
                continue;
            };
            let mut arrives = self.now + delay;
            if let Some(session) = session.filter(|_| is_stream) {
                let connections = &mut self.processes[from.process].connections;
                let connection = connections.get_mut(&session).expect("it was looked at");
                arrives = arrives.max(connection.last + 1);
                connection.last = arrives;
            }
            self.at(arrives, Happening::Serve(from, number, request.clone()));
        }
        if matches!(request, Request::Close) {
            self.hang_up(from.process, session);
        }
        self.pending(from, Pending { session, request });
    }

    /// A process won't use a connection any more.
    fn hang_up(&mut self, process: usize, session: Option<Call>) {
        let connections = &mut self.processes[process].connections;
        if let Some(connection) = session.and_then(|session| connections.get_mut(&session)) {
            connection.is_broken = true;
        }
    }

    /// A request has arrived.
    pub(super) fn serve(&mut self, from: Address, session: u64, request: &Request) {
        if self.now < self.down {
            // Nobody listens, or nobody is there at all.
            if matches!(request, Request::Open) && self.is_told {
                let refused = Fault::NotDone(cause("connection refused"));
                self.answer(from, Outcome::Opened(Err(refused)), 0);
            }
            return;
        }
        let often = if self.setting.is_mild() { 10 } else { 60 };
        let (outcome, session) = if self.is_faulty() && self.chance.one_in(often) {
            let is_question = matches!(request, Request::Acquire(..));
            if is_question && !self.setting.is_mild() && self.chance.one_in(3) {
                (refused(request), 0)
            } else {
                (not_done(request), 0)
            }
        } else {
            let done = self.do_it(from, session, request);
            let Some(done) = done else { return };
            if self.is_faulty() && self.chance.one_in(often) {
                (unknown(request), 0)
            } else {
                done
            }
        };
        self.note(|| format!("     server: {from} {request:?} -> {outcome:?}"));
        self.answer(from, outcome, session);
    }

    /// Does what is asked; none if there is nothing to say yet. With the number of a session that it
    /// has opened.
    fn do_it(&mut self, from: Address, session: u64, request: &Request) -> Option<(Outcome, u64)> {
        let now = self.server_clock();
        let is_over = |_: NoSession| Fault::Over(cause("no such session"));
        let mut opened = 0;
        let outcome = match request {
            Request::Open if self.now < self.refuses => {
                Outcome::Opened(Err(Fault::Refused(cause("not allowed; ask the owner"))))
            }
            Request::Open => {
                opened = self.server.open(now);
                Outcome::Opened(Ok(Duration::from_nanos(self.setting.lease)))
            }
            Request::Acquire(claim, asked) => {
                let acquired = self.server.acquire(now, session, claim, *asked);
                if *asked == Asked::Once && matches!(acquired, Ok(Answer::Busy(_))) {
                    self.look_who_is_in_the_way(from, session, claim);
                }
                Outcome::Acquired(acquired.map_err(is_over))
            }
            Request::Freed(claim) => {
                let Some(freed) = self.server.freed(now, session, claim) else {
                    self.watches.push((from, session, Arc::clone(claim)));
                    return None;
                };
                Outcome::Freed(Ok(freed))
            }
            Request::Release(claim) => {
                Outcome::Released(self.server.release(now, session, claim).map_err(is_over))
            }
            Request::Renew(claims) => {
                Outcome::Renewed(self.server.renew(now, session, claims).map_err(is_over))
            }
            Request::Holders => Outcome::Seen(Ok(Vec::new())),
            Request::Close => {
                self.server.close(session);
                Outcome::Closed
            }
        };
        Some((outcome, opened))
    }

    /// Tells those who wait that it is worth asking.
    pub(super) fn wake_watchers(&mut self) {
        let changed = std::mem::take(&mut self.server.changed);
        if changed.is_empty() {
            return;
        }
        let now = self.server_clock();
        let watches = std::mem::take(&mut self.watches);
        for (from, session, claim) in watches {
            let is_changed = changed.contains(&claim.name);
            let freed = is_changed.then(|| self.server.freed(now, session, &claim));
            match freed.flatten() {
                Some(freed) => self.answer(from, Outcome::Freed(Ok(freed)), 0),
                None => self.watches.push((from, session, claim)),
            }
        }
    }

    /// The server answers, if the network lets it.
    fn answer(&mut self, to: Address, outcome: Outcome, session: u64) {
        let there = &self.processes[to.process];
        let is_deaf = |pending: &Pending| {
            let session = pending.session;
            session.is_some_and(|session| there.connections[&session].is_deaf)
        };
        let is_swallowed = there.life == to.life
            && (there.swallow > self.now || there.calls.get(&to.call).is_some_and(is_deaf));
        let is_stream = self.setting.shape.ordered;
        let is_lost = self.is_wild() && !is_stream && self.chance.one_in(40);
        if is_swallowed || is_lost {
            return self.note(|| format!("     {to}: the answer is lost"));
        }
        if let Some(delay) = self.delay(to.process) {
            let late = self.lateness(&outcome);
            self.answer_after(to, delay + late, outcome, session);
        }
    }

    /// How much later what is said of a queue arrives, whose first may have been handed the lock long ago then.
    fn lateness(&mut self, outcome: &Outcome) -> u64 {
        let is_of_queue = matches!(
            outcome,
            Outcome::Acquired(Ok(Answer::Busy(_))) | Outcome::Freed(Ok(Freed::Granted(_)))
        );
        let is_handed_over = is_of_queue && self.setting.queue == Queue::HandedOver;
        if is_handed_over && self.is_wild() && self.chance.one_in(4) {
            self.chance.time(self.setting.lease / 2)
        } else {
            0
        }
    }

    fn answer_after(&mut self, to: Address, delay: u64, outcome: Outcome, session: u64) {
        let input = Input::Answered(to.call, outcome, session, self.server.epoch);
        let at = self.now + delay;
        self.at(at, Happening::Input(to.process, to.life, input));
    }

    /// All connections of a process end. What was on its way to the server may still arrive.
    pub(super) fn break_connections(&mut self, process: usize) {
        let there = &mut self.processes[process];
        let life = there.life;
        let mut broken = Vec::new();
        for (call, connection) in &mut there.connections {
            if !connection.is_broken {
                connection.is_broken = true;
                broken.push((*call, connection.session));
            }
        }
        let calls = there.calls.iter();
        let cut_off: Vec<(Call, Outcome)> = calls
            .filter(|(_, pending)| {
                broken
                    .iter()
                    .any(|(call, _)| pending.session == Some(*call))
            })
            .map(|(call, pending)| (*call, over(&pending.request)))
            .collect();
        let delay = self.chance.between(1, 5 * MILLISECOND);
        // Some hear of it when they have another connection already.
        let told = self.chance.of(&[delay, delay, 200 * MILLISECOND]);
        for (call, outcome) in cut_off {
            let to = Address {
                process,
                life,
                call,
            };
            self.answer_after(to, delay, outcome, 0);
        }
        for (call, session) in broken {
            let fault = Fault::Over(cause("the connection is broken"));
            let lost = Input::Lost(call, Loss::Session(fault));
            if self.chance.one_in(2) {
                self.input(told, process, lost);
            }
            if self.setting.ends_with_connection {
                self.server.cut_off(session);
            }
        }
    }
}

pub(super) fn cause(what: &'static str) -> Cause {
    what.into()
}

fn over(request: &Request) -> Outcome {
    failed(request, Fault::Over(cause("the connection is broken")))
}

fn not_done(request: &Request) -> Outcome {
    failed(request, Fault::NotDone(cause("busy with something else")))
}

fn refused(request: &Request) -> Outcome {
    failed(request, Fault::Refused(cause("not allowed; ask the owner")))
}

fn unknown(request: &Request) -> Outcome {
    failed(request, Fault::Unknown(cause("something went wrong")))
}

fn failed(request: &Request, fault: Fault) -> Outcome {
    match request {
        Request::Open => Outcome::Opened(Err(fault)),
        Request::Acquire(..) => Outcome::Acquired(Err(fault)),
        Request::Freed(_) => Outcome::Freed(Err(fault)),
        Request::Release(_) => Outcome::Released(Err(fault)),
        Request::Renew(_) => Outcome::Renewed(Err(fault)),
        Request::Holders => Outcome::Seen(Err(fault)),
        Request::Close => Outcome::Closed,
    }
}

/// Whether a claim is known not to be the server's business after this answer.
pub(super) fn is_settled(asked: Asked, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Acquired(Ok(Answer::Busy(_))) => asked == Asked::Once,
        Outcome::Acquired(Err(Fault::NotDone(_) | Fault::Refused(_))) => true,
        _ => false,
    }
}
