//! Time, the network, and who does what when.

use super::asker::{Asker, Doing};
use super::checker::{Checker, Hold};
use super::claim::{Claimed, State, claim_of};
use super::process::{Connection, Input, Pending, Process, Request, Step, Who};
use super::schedule::{self, Chance, Event, MILLISECOND, Setting, What, Wish};
use super::server::{Gone, Server};
use crate::protocol::{Id, Protocol, Rules};
use crate::store::{Claim, Loss};
use lockutils::Lost;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// More than any run needs.
const MOST_STEPS: usize = 200_000;

pub(super) struct World {
    pub(super) now: u64,
    pub(super) setting: Setting,
    pub(super) chance: Chance,
    pub(super) server: Server,
    pub(super) processes: Vec<Process>,
    pub(super) askers: Vec<Asker>,
    pub(super) claims: Vec<Claimed>,
    /// What tells of the loss of guards that were released before, in vain.
    pub(super) over: Vec<(usize, Lost)>,
    pub(super) checker: Checker,
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// What has happened, if somebody wants to read it.
    pub(super) trace: Option<Vec<String>>,
    /// Who is told when a lock is free.
    pub(super) watches: Vec<(Address, u64, Arc<Claim>)>,
    /// Until when the server is down, and until when it refuses who connects.
    pub(super) down: u64,
    pub(super) refuses: u64,
    /// Whether who connects while it is down is told so.
    pub(super) is_told: bool,
    /// Claims that their processes know to be lost, and haven't asked for again.
    pub(super) known_lost: BTreeSet<u128>,
    /// When claims were released first, and whether the server has answered that.
    pub(super) released: BTreeMap<u128, (u64, bool)>,
    queue: BTreeMap<(u64, u64), Happening>,
    events: Vec<Event>,
    last: u64,
}

/// Whose question it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) process: usize,
    pub(super) life: u32,
    pub(super) call: crate::protocol::Call,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}/{} {:?}", self.process, self.life, self.call)
    }
}

pub(super) enum Happening {
    Act(usize),
    /// A request arrives at the server, of a session by the server's number.
    Serve(Address, u64, Request),
    Input(usize, u32, Input),
    Resume(usize),
    Expire,
}

impl World {
    pub(super) fn new(setting: Setting, events: Vec<Event>, traced: bool) -> Self {
        let chance = Chance(setting.chance);
        let mut world = Self {
            now: 0,
            server: Server::new(setting.clone()),
            processes: Vec::new(),
            askers: Vec::new(),
            claims: Vec::new(),
            over: Vec::new(),
            checker: Checker::default(),
            counts: BTreeMap::new(),
            trace: traced.then(Vec::new),
            watches: Vec::new(),
            down: 0,
            refuses: 0,
            is_told: false,
            known_lost: BTreeSet::new(),
            released: BTreeMap::new(),
            queue: BTreeMap::new(),
            events: Vec::new(),
            last: 0,
            chance,
            setting,
        };
        for _ in 1..world.setting.rates.len() {
            let protocol = world.protocol();
            world.processes.push(Process::new(protocol, 0));
        }
        for (number, event) in events.iter().enumerate() {
            world.at(event.at, Happening::Act(number));
        }
        world.events = events;
        world
    }

    fn protocol(&mut self) -> Protocol {
        let rules = Rules {
            shape: self.setting.shape,
            lease: Duration::from_nanos(self.setting.lease),
            answer_timeout: Duration::from_nanos(self.setting.answer_timeout),
            most: self.setting.most,
        };
        Protocol::new(rules, self.chance.next())
    }

    /// Runs until everybody has had what it wanted, and all is released.
    pub(super) fn run(&mut self) {
        let holds: u64 = self.events.iter().map(hold).sum();
        let settled = self.setting.recovered + self.setting.latest + self.setting.lease * 2;
        // Where nobody answers, each one in line is told so after a while.
        let line = self.setting.answer_timeout * self.events.len() as u64;
        let in_vain = if self.setting.is_left() { line } else { 0 };
        let served = settled + self.setting.lease * 2 + holds + in_vain;
        let is_served = |world: &Self| {
            let are_over = world.claims.iter().all(|claim| claim.state == State::Done);
            world.now > settled && are_over && world.askers.iter().all(Asker::is_done)
        };
        if !self.go_on(served, is_served) {
            let waits = self.askers.iter().position(|asker| !asker.is_done());
            self.checker.fail(format!(
                "asker {waits:?} is not done although nothing goes wrong"
            ));
        }
        if !self.setting.is_left() {
            self.look_for_leftovers();
        }
        for process in 0..self.processes.len() {
            self.input(0, process, Input::Close);
        }
        let closed = self.now + self.setting.answer_timeout * 3 + self.setting.lease * 2;
        let is_settled = |world: &Self| {
            let settled = |process: &Process| process.protocol.is_settled();
            world.processes.iter().all(settled)
        };
        self.now += 1;
        if !self.go_on(closed, |world| {
            world.now > closed - world.setting.lease && is_settled(world)
        }) {
            self.checker.fail("a space can't be closed".to_owned());
        }
        if self
            .processes
            .iter()
            .any(|process| !process.protocol.is_idle())
        {
            self.checker.fail("a process knows claims still".to_owned());
        }
        self.look_for_keepers();
        self.look_for_late_news();
        // What nobody could release is over by itself.
        self.look_for_leftovers();
    }

    fn look_for_leftovers(&mut self) {
        if self.server.is_in_use() {
            let wrong = "the server knows somebody still, although all are gone";
            self.checker.fail(wrong.to_owned());
        }
        if let Some(((process, nonce), _)) = self.checker.owed.first_key_value() {
            let claim = claim_of(*nonce);
            let wrong = format!("process {process} has not released claim {claim}");
            self.checker.fail(wrong);
        }
    }

    /// Until that is so; false if it isn't at that time.
    fn go_on(&mut self, end: u64, is_done: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..MOST_STEPS {
            if self.checker.wrong.is_some() || is_done(self) {
                return true;
            }
            match self.queue.first_key_value() {
                Some(((at, _), _)) if *at <= end => {}
                _ if self.now > end => return false,
                _ => {
                    // Nothing happens any more.
                    self.now = end + 1;
                    continue;
                }
            }
            let Some(((at, _), happening)) = self.queue.pop_first() else {
                return false;
            };
            self.now = self.now.max(at);
            self.happen(happening);
        }
        self.checker.fail("it never comes to rest".to_owned());
        false
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let line = format!("{:>11.6} {}", seconds(self.now), what());
            trace.push(line);
        }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn at(&mut self, at: u64, happening: Happening) {
        self.last += 1;
        self.queue.insert((at, self.last), happening);
    }

    /// Something happens to a process after a while.
    pub(super) fn input(&mut self, after: u64, process: usize, input: Input) {
        let life = self.processes[process].life;
        self.at(self.now + after, Happening::Input(process, life, input));
    }

    /// What the clock of the server says.
    pub(super) fn server_clock(&self) -> u64 {
        scale(self.now, self.setting.rates[0], 1_000_000)
    }

    /// What the clock of a process says.
    pub(super) fn clock(&self, process: usize) -> u64 {
        clock(&self.setting, self.now, process)
    }

    /// When the clock of a process will say that.
    pub(super) fn moment(&self, process: usize, clock: u64) -> u64 {
        let time = clock.saturating_sub(offset(process));
        scale(time, 1_000_000, self.setting.rates[process + 1]) + 1
    }

    pub(super) fn is_faulty(&self) -> bool {
        self.now < self.setting.faults_end
    }

    /// Whether messages may be late, be lost or come twice.
    pub(super) fn is_wild(&self) -> bool {
        self.is_faulty() && !self.setting.is_mild()
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Act(number) => {
                let what = self.events[number].what.clone();
                self.note(|| format!("** {what:?}"));
                self.act(what);
            }
            Happening::Serve(from, session, request) => self.serve(from, session, &request),
            Happening::Expire => {}
            Happening::Resume(process) => self.resume(process),
            Happening::Input(process, life, input) => {
                let there = &mut self.processes[process];
                if there.life == life {
                    if there.stopped.is_some() {
                        there.inbox.push_back(input);
                    } else {
                        self.handle(process, input);
                        self.look_at(process);
                    }
                }
            }
        }
        self.expire();
        self.wake_watchers();
    }

    pub(super) fn act(&mut self, what: What) {
        match what {
            What::Ask(wish) => self.come(wish),
            What::Look { process } => self.input(0, process, Input::Look),
            What::Close { process } => self.input(0, process, Input::Close),
            What::Pause { process, time } => {
                let end = self.now + time;
                let stopped = &mut self.processes[process].stopped;
                *stopped = Some(stopped.unwrap_or(0).max(end));
                self.at(end, Happening::Resume(process));
            }
            What::Kill { process } => self.kill(process),
            What::Cut { process, time } => {
                let end = self.now + time;
                self.processes[process].cut = end;
                if self.chance.one_in(3) {
                    self.break_connections(process);
                }
            }
            What::Swallow { process, time } => self.processes[process].swallow = self.now + time,
            What::Break { process } => self.break_connections(process),
            What::Restart { time, keep } => {
                self.server.restart(keep);
                self.down = self.now + time;
                self.is_told = self.chance.one_in(2);
                self.watches.clear();
                for process in 0..self.processes.len() {
                    self.break_connections(process);
                }
            }
            What::Refuse { time } => self.refuses = self.now + time,
            What::Revoke { name } => {
                let nonces = self.server.revoke(&schedule::name(name));
                self.tell_of_loss(&nonces);
            }
            What::Deafen { process } => {
                let connections = self.processes[process].connections.values_mut();
                connections.for_each(|connection| connection.is_deaf = true);
            }
            What::Trap { process, what } => self.processes[process].trap = Some(*what),
            What::Vanish => {
                self.down = u64::MAX;
                self.is_told = self.chance.one_in(2);
            }
        }
    }

    fn come(&mut self, wish: Wish) {
        let number = self.askers.len();
        let process = wish.process;
        let life = self.processes[process].life;
        self.askers.push(Asker::new(wish, life, self.now));
        self.input(0, process, Input::Step(number, Step::Come));
    }

    fn kill(&mut self, process: usize) {
        let life = self.processes[process].life + 1;
        let connections = std::mem::take(&mut self.processes[process].connections);
        if self.setting.ends_with_connection {
            for connection in connections.into_values() {
                // Nobody is there any more to believe in what it had.
                self.server.close(connection.session);
            }
        }
        let protocol = self.protocol();
        self.processes[process] = Process::new(protocol, life);
        let askers = self.askers.iter_mut();
        for asker in askers.filter(|asker| asker.wish.process == process && asker.life != life) {
            asker.doing = Doing::Done;
        }
        let claims = self.claims.iter_mut();
        for claim in claims.filter(|claim| claim.process == process && claim.life != life) {
            claim.state = State::Done;
            claim.told = None;
        }
        self.checker.died(process);
    }

    fn resume(&mut self, process: usize) {
        let now = self.now;
        let clock = self.clock(process);
        let there = &mut self.processes[process];
        if there.stopped.is_none_or(|end| end > now) {
            return;
        }
        there.stopped = None;
        there.wake = None;
        let inbox = std::mem::take(&mut there.inbox);
        let life = there.life;
        for who in there.ids.values_mut() {
            if let Who::Looker(since) = who {
                *since = clock;
            }
        }
        let claims = self.claims.iter_mut();
        for claim in claims.filter(|claim| claim.process == process) {
            claim.since = claim.since.max(clock);
        }
        self.note(|| format!("p{process} goes on"));
        if self.chance.one_in(2) {
            self.handle(process, Input::Wake);
        }
        for input in inbox {
            if self.processes[process].life == life {
                self.handle(process, input);
            }
        }
        self.handle(process, Input::Wake);
        self.look_at(process);
    }

    /// Ends the leases that are over at the server.
    fn expire(&mut self) {
        let clock = self.server_clock();
        let lost = self.server.expire(clock);
        if !lost.is_empty() && self.chance.one_in(2) {
            self.tell_of_loss(&lost);
        }
        if let Some(end) = self.server.next_end() {
            let at = scale(end, 1_000_000, self.setting.rates[0]) + 1;
            if self.queue.range((at, 0)..=(at, u64::MAX)).next().is_none() {
                self.at(at, Happening::Expire);
            }
        }
    }

    /// The server says whose claims are lost, to those who are connected.
    fn tell_of_loss(&mut self, lost: &[Gone]) {
        let one_lease = self.setting.shape.one_lease;
        for Gone { nonce, session } in lost {
            let claim = &self.claims[claim_of(*nonce)];
            let (process, life) = (claim.process, claim.life);
            let connections = self.processes[process].connections.iter();
            let mut hears = connections.filter(|(_, connection)| {
                let hears = !connection.is_broken && !connection.is_deaf;
                hears && (!one_lease || connection.session == *session)
            });
            let Some((&call, _)) = hears.next_back() else {
                continue;
            };
            if let Some(delay) = self.delay(process) {
                let input = Input::Lost(call, Loss::Claim(*nonce));
                self.at(self.now + delay, Happening::Input(process, life, input));
            }
        }
    }

    /// How long a message is under way; none if it is lost.
    pub(super) fn delay(&mut self, process: usize) -> Option<u64> {
        let near = self.chance.between(MILLISECOND / 10, 3 * MILLISECOND);
        if !self.is_wild() {
            return Some(near);
        }
        let cut = self.processes[process].cut.saturating_sub(self.now);
        if cut > 0 {
            // It is sent again until it arrives, or is given up.
            let late = self.chance.one_in(2).then_some(cut + near);
            let is_bounded = self.setting.is_bounded();
            return late.filter(|late| !is_bounded || *late <= self.setting.latest);
        }
        Some(if self.chance.one_in(20) {
            self.chance.time(self.setting.latest)
        } else {
            near
        })
    }

    pub(super) fn remember(&mut self, process: usize, call: crate::protocol::Call, session: u64) {
        let connection = Connection {
            session,
            is_broken: false,
            is_deaf: false,
            last: 0,
        };
        self.processes[process].connections.insert(call, connection);
    }

    pub(super) fn pending(&mut self, from: Address, pending: Pending) {
        self.processes[from.process]
            .calls
            .insert(from.call, pending);
    }

    /// Nobody may believe in a lock for longer than the server keeps it.
    pub(super) fn compare(&mut self, claim: usize, deadline: u64) {
        let there = &self.claims[claim];
        let end = self.server.end_of(there.nonce);
        let deadline = self.moment(there.process, deadline);
        let end = end.map(|end| scale(end, 1_000_000, self.setting.rates[0]));
        if end.is_some_and(|end| deadline > end + 2) {
            let wrong =
                format!("claim {claim} would be believed to have the lock when its lease is over");
            self.checker.fail(wrong);
        }
    }

    /// What a claim has from now on.
    pub(super) fn believe(&mut self, claim: usize, hold: Hold) {
        let (setting, now) = (&self.setting, self.now);
        let clock = |process| clock(setting, now, process);
        let revoked = &self.server.revoked;
        self.checker
            .granted(claim, hold, clock, |nonce| revoked.contains(&nonce));
    }

    pub(super) fn who(&self, process: usize, id: Id) -> Option<Who> {
        self.processes[process].ids.get(&id).copied()
    }
}

fn hold(event: &Event) -> u64 {
    match &event.what {
        What::Ask(wish) => wish.hold,
        _ => 0,
    }
}

fn clock(setting: &Setting, now: u64, process: usize) -> u64 {
    offset(process) + scale(now, setting.rates[process + 1], 1_000_000)
}

/// The clocks of the processes don't show the same time either.
fn offset(process: usize) -> u64 {
    (process as u64 + 1) * 1_000_000_000_000
}

fn scale(time: u64, by: u64, of: u64) -> u64 {
    let scaled = u128::from(time) * u128::from(by) / u128::from(of);
    u64::try_from(scaled).expect("a time")
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn seconds(time: u64) -> f64 {
    time as f64 / 1e9
}
