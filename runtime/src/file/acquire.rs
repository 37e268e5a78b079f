//! Taking a lock file: one state machine, with blocking and async drivers.
//!
//! ```text
//! Queue --in-process lock--> Kernel --the kernel's lock--> Done
//!   ^                        |  |  ^
//!   +--another file by now---+  |  |
//!                 busy, shared: |  | its turn
//!                               v  |
//!                               Turn
//! ```
//!
//! First the in-process lock of the file, as any other lock is taken, then the kernel's, see
//! [`kernel`](super::kernel). Where the file's name leads to another one by then, since the
//! file was removed or replaced, it all begins again with that one. Who shares the in-process
//! lock with others waits for its turn to wait in the kernel: one of them does it for all.
//!
//! A thread without a timeout waits in the kernel itself. A task, or a thread with a
//! timeout, has another thread wait, see [`wait`](super::wait). Where Python polls the same
//! file, and where too many threads wait already, it tries again after a while, at a time
//! that is left to chance.

use super::descriptor::Failure;
use super::hold::{AllHeld, FileHold};
use super::kernel::{Manner, Tried, Waiting};
use super::path::Rule;
use super::request::{self, ATTEMPTS, Request, is_among};
use super::table::InUse;
use super::tell::Waiter;
use super::wait::Claim;
use crate::alarm::Alarm;
use crate::error::{Error, ErrorKind};
use crate::held::Held;
use crate::local::{Acquire as Queue, Signal};
use crate::name::Taken;
use crate::owner::Owner;
use crate::space::Reentry;
use crate::sync::Instant;
use crate::table::policy::Mode;
use crate::timer::Timer;
use std::cell::OnceCell;
use std::task::{Poll, Waker, ready};
use std::time::Duration;
use std::{mem, vec};

/// A lock file, or several, being taken. Dropping it half-way leaves the queues, and
/// releases those that it has.
pub(super) enum Acquire {
    One(Box<One>),
    All(Box<All>),
    /// There is no such lock.
    Failed(Option<Error>),
}

/// One lock file being taken.
pub(super) struct One {
    request: Request,
    /// Before `file`, which must be in use for as long as the in-process lock is held.
    state: State,
    file: Option<InUse>,
    /// Where it has begun to wait for the file. After `file`, so that whoever counts for its drop
    /// counts without this one.
    waiter: Option<Waiter>,
    /// How often it was another file than the one that was waited for.
    replaced: usize,
}

enum State {
    New,
    Queue(Queue),
    Turn(Held, Queue),
    Kernel {
        in_process: Held,
        next: Next,
        /// Held by who waits for all that share the in-process lock.
        turn: Option<Held>,
    },
    Done,
}

/// When to try for the kernel's lock.
enum Next {
    AtOnce,
    Granted(Claim),
    Until(Alarm),
}

/// Several lock files being taken, in the order of the list.
pub(super) struct All {
    held: Vec<FileHold>,
    current: Option<One>,
    rest: vec::IntoIter<Request>,
    is_done: bool,
}

/// How somebody waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Blocks the thread in the kernel as well.
    Thread,
    /// Blocks the thread, and not for longer than a certain time.
    Timed,
    /// Lets other tasks run.
    Task,
    /// Tries once more, since the time is over.
    Last,
}

impl Acquire {
    pub(super) fn one(request: Request) -> Self {
        Self::One(Box::new(One::new(request)))
    }

    pub(super) fn all(requests: Vec<Request>) -> Self {
        let held = Vec::with_capacity(requests.len());
        let mut rest = requests.into_iter();
        let current = rest.next().map(One::new);
        Self::All(Box::new(All {
            held,
            current,
            rest,
            is_done: false,
        }))
    }

    #[track_caller]
    pub(super) fn step(
        &mut self,
        owner: Owner,
        patience: Patience,
        waker: impl Fn() -> Waker,
    ) -> Poll<Result<Held, Error>> {
        match self {
            Self::One(one) => {
                let hold = ready!(one.step(owner, patience, waker, &[]))?;
                let hold = hold.expect("there is nothing that it could be held with");
                Poll::Ready(Ok(hold.into_held()))
            }
            Self::All(all) => all.step(owner, patience, waker),
            Self::Failed(error) => Poll::Ready(Err(error
                .take()
                .expect("a future was polled after it gave its error"))),
        }
    }

    /// The locks, those that are held first, for people.
    pub(super) fn taken(&self) -> Vec<Taken> {
        match self {
            Self::One(one) => vec![one.request.taken()],
            Self::All(all) => {
                let held = all.held.iter().map(FileHold::of);
                let current = all.current.iter().map(|one| one.request.taken());
                let rest = all.rest.as_slice().iter().map(Request::taken);
                held.chain(current).chain(rest).collect()
            }
            Self::Failed(_) => Vec::new(),
        }
    }

    fn waiting(&mut self) -> &mut One {
        match self {
            Self::One(one) => one,
            Self::All(all) => all.current.as_mut().expect("some lock is busy"),
            Self::Failed(_) => unreachable!("who has failed doesn't wait"),
        }
    }

    /// Takes what there is to take, if all of it needs no waiting.
    pub(super) fn try_now(self, owner: Owner) -> Result<Held, Error> {
        match self {
            Self::One(one) => one.request.try_alone(owner).map(FileHold::into_held),
            Self::All(mut all) => {
                let first = all.current.take().map(|one| one.request);
                for request in first.into_iter().chain(mem::take(&mut all.rest)) {
                    let hold = request.try_now(owner, &all.held)?;
                    all.held.extend(hold);
                }
                Ok(held_together(mem::take(&mut all.held)))
            }
            Self::Failed(error) => Err(error.expect("who tries hasn't waited")),
        }
    }

    /// Tries a last time and gives up; is pending if the lock was handed over meanwhile.
    #[track_caller]
    pub(super) fn give_up(
        &mut self,
        owner: Owner,
        waited: Duration,
        waker: impl Fn() -> Waker,
    ) -> Poll<Result<Held, Error>> {
        match self.step(owner, Patience::Last, waker) {
            Poll::Pending => {
                let error = self.waiting().timed_out(waited);
                error.map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
            }
            result @ Poll::Ready(_) => result,
        }
    }

    /// Says whether the thread goes straight in where it holds a lock already.
    pub(super) fn with(mut self, reentry: Reentry) -> Self {
        let (current, rest) = match &mut self {
            Self::One(one) => (Some(&mut **one), &mut [][..]),
            Self::All(all) => (all.current.as_mut(), all.rest.as_mut_slice()),
            Self::Failed(_) => (None, &mut [][..]),
        };
        let current = current.map(|one| &mut one.request);
        for request in current.into_iter().chain(rest) {
            request.terms.reentrant = reentry == Reentry::Allowed;
        }
        self
    }

    /// Blocks the thread until it has the lock.
    pub(super) fn block(mut self) -> Result<Held, Error> {
        if let Self::One(one) = &self {
            if let Some(hold) = one.try_soon() {
                return Ok(hold.into_held());
            }
        }
        let signal = OnceCell::new();
        loop {
            if let Poll::Ready(result) = self.step(Owner::thread(), Patience::Thread, || {
                signal.get_or_init(Signal::new).waker()
            }) {
                return result;
            }
            if let Some(error) = self.waiting().deadlock() {
                return Err(error);
            }
            let next = self.waiting().next();
            signal.get_or_init(Signal::new).wait(next);
        }
    }

    /// Blocks the thread until it has the lock, or until the time is over, of which zero
    /// is one try.
    pub(super) fn block_for(mut self, timeout: Duration) -> Result<Held, Error> {
        let signal = OnceCell::new();
        let waker = || signal.get_or_init(Signal::new).waker();
        let mut timer = None;
        loop {
            if let Poll::Ready(result) = self.step(Owner::thread(), Patience::Timed, waker) {
                return result;
            }
            // Looked at after the step: the lock may have been given as time ran out.
            let timer = timer.get_or_insert_with(|| Timer::start(timeout));
            if timer.is_over() {
                let waited = timer.start.elapsed();
                if let Poll::Ready(result) = self.give_up(Owner::thread(), waited, waker) {
                    return result;
                }
            }
            // After the time: who doesn't wait is in no deadlock.
            if let Some(error) = self.waiting().deadlock() {
                return Err(error);
            }
            let next = timer.next(self.waiting().next());
            signal.get_or_init(Signal::new).wait(next);
        }
    }
}

impl One {
    fn new(request: Request) -> Self {
        Self {
            request,
            state: State::New,
            file: None,
            waiter: None,
            replaced: 0,
        }
    }

    /// Takes the lock for a thread if it is free, or soon is.
    fn try_soon(&self) -> Option<FileHold> {
        match self.state {
            State::New => FileHold::try_soon(&self.request),
            _ => None,
        }
    }

    /// A step; gives `None` if the file is one of those that are held.
    #[track_caller]
    fn step(
        &mut self,
        owner: Owner,
        patience: Patience,
        waker: impl Fn() -> Waker,
        held: &[FileHold],
    ) -> Poll<Result<Option<FileHold>, Error>> {
        let result = ready!(self.go_on(owner, patience, waker, held));
        let state = mem::replace(&mut self.state, State::Done);
        let waiter = self.waiter.take();
        let result = match (result, state) {
            (Ok(true), State::Kernel { in_process, .. }) => {
                let file = self.file.take().expect("it is in use until here");
                Ok(Some(FileHold::new(&self.request, file, in_process)))
            }
            (Ok(_), _) => Ok(None),
            (Err(failure), _) => Err(self.request.failed(failure)),
        };
        drop(waiter); // Who holds the lock doesn't wait.
        Poll::Ready(result)
    }

    /// Goes on until it has the kernel's lock, which is true, or finds that it is held already.
    #[track_caller]
    fn go_on(
        &mut self,
        owner: Owner,
        patience: Patience,
        waker: impl Fn() -> Waker,
        held: &[FileHold],
    ) -> Poll<Result<bool, Failure>> {
        loop {
            match &mut self.state {
                State::New => {
                    let Request {
                        space,
                        name,
                        terms,
                        site,
                        ..
                    } = &self.request;
                    let file = match &self.file {
                        Some(file) => file,
                        None => self.file.insert(InUse::of(space.directory, name)?),
                    };
                    if is_among(file, held)? {
                        return Poll::Ready(Ok(false));
                    }
                    self.state = State::Queue(file.queue(*terms, *site));
                }
                State::Queue(queue) => {
                    let Poll::Ready(in_process) = queue.step(owner, true, &waker) else {
                        // It waits for the file, and so not for one that is replaced at once.
                        self.replaced = 0;
                        if let Some(file) = &self.file {
                            begin_wait(&mut self.waiter, file, self.request.space.rule);
                        }
                        return Poll::Pending;
                    };
                    self.state = State::kernel(in_process, None);
                }
                State::Turn(_, queue) => {
                    let turn = ready!(queue.step(owner, true, &waker));
                    if let State::Turn(in_process, _) = mem::replace(&mut self.state, State::Done) {
                        self.state = State::kernel(in_process, Some(turn));
                    }
                }
                State::Kernel { .. } => {
                    if ready!(self.try_kernel(patience, &waker))? {
                        return Poll::Ready(Ok(true));
                    }
                }
                State::Done => panic!("a future was polled after it gave its guard"),
            }
        }
    }

    /// Tries for the kernel's lock. Where it isn't to be had, decides how to go on.
    fn try_kernel(
        &mut self,
        patience: Patience,
        waker: &impl Fn() -> Waker,
    ) -> Poll<Result<bool, Failure>> {
        let Self {
            request,
            state,
            file: Some(file),
            waiter,
            replaced,
        } = self
        else {
            unreachable!("it has the in-process lock of a file");
        };
        let State::Kernel { next, turn, .. } = state else {
            unreachable!("it has the in-process lock");
        };
        let manner = Manner {
            // Who was granted the lock has it already, and gives way to nobody.
            gives_way: patience != Patience::Last && !matches!(next, Next::Granted(_)),
            ..request.manner()
        };
        match next {
            Next::Granted(claim) => ready!(claim.poll(waker()))?,
            Next::Until(_) if patience == Patience::Last => {}
            Next::Until(alarm) if patience == Patience::Task => ready!(alarm.poll(waker())),
            // A thread sleeps until then by itself, see `One::next`.
            Next::Until(alarm) if !alarm.is_over() => return Poll::Pending,
            Next::AtOnce | Next::Until(_) => {}
        }
        let tried = file.try_take(manner)?;
        *next = Next::AtOnce;
        if matches!(tried, Tried::Busy) && patience != Patience::Last {
            // Before it blocks.
            begin_wait(waiter, file, manner.rule);
        }
        match tried {
            Tried::Taken => return Poll::Ready(Ok(true)),
            Tried::Busy if patience == Patience::Last => return Poll::Pending,
            Tried::Busy if manner.mode == Mode::Shared && turn.is_none() => {
                let queue = file.turn(request.site);
                if let State::Kernel { in_process, .. } = mem::replace(state, State::Done) {
                    *state = State::Turn(in_process, queue);
                }
            }
            Tried::Busy => *next = Next::busy(file, manner, patience)?,
            Tried::Paused(until) => *next = Next::Until(Alarm::at(until)),
            Tried::Elsewhere => {
                *replaced += 1;
                if *replaced == ATTEMPTS {
                    return Poll::Ready(Err(request::replaced()));
                }
                let found = file.anew()?;
                // Before its file is out of use.
                *state = State::New;
                *file = found;
                *waiter = None;
            }
        }
        Poll::Ready(Ok(false))
    }

    /// The in-process lock that is waited for.
    fn queue(&mut self) -> Option<&mut Queue> {
        match &mut self.state {
            State::Queue(queue) | State::Turn(_, queue) => Some(queue),
            _ => None,
        }
    }

    /// Until when a thread sleeps before it goes on, if nobody wakes it to do so.
    fn next(&mut self) -> Option<Instant> {
        match &mut self.state {
            State::Queue(queue) | State::Turn(_, queue) => queue.look(),
            State::Kernel {
                next: Next::Until(alarm),
                ..
            } => Timer::start(alarm.rest()).deadline,
            _ => None,
        }
    }

    /// The deadlock that waiting would be.
    fn deadlock(&mut self) -> Option<Error> {
        let error = self.queue()?.deadlock()?;
        Some(self.request.of_this_lock(error, self.file.as_ref()?))
    }

    fn timed_out(&mut self, waited: Duration) -> Option<Error> {
        let file = self.file.as_ref()?;
        match &mut self.state {
            State::Queue(queue) | State::Turn(_, queue) => {
                let error = queue.timed_out(waited)?;
                Some(self.request.of_this_lock(error, file))
            }
            _ => {
                let error = self.request.refused(ErrorKind::Timeout, file);
                Some(error.with_waited(waited))
            }
        }
    }
}

/// Has others be told of a wait, unless nothing is written into the file.
fn begin_wait(waiter: &mut Option<Waiter>, file: &InUse, rule: Rule) {
    if rule == Rule::Own {
        waiter.get_or_insert_with(|| file.waiter());
    }
}

impl State {
    /// Of who has the in-process lock.
    const fn kernel(in_process: Held, turn: Option<Held>) -> Self {
        Self::Kernel {
            in_process,
            next: Next::AtOnce,
            turn,
        }
    }
}

impl Next {
    /// How to go on where another process has the lock. Blocks who may be blocked.
    fn busy(file: &InUse, manner: Manner, patience: Patience) -> Result<Self, Failure> {
        match (manner.rule, patience) {
            (Rule::Own, Patience::Thread) => {
                file.block(manner.mode)?;
                Ok(Self::AtOnce)
            }
            (Rule::Own, Patience::Timed | Patience::Task | Patience::Last) => {
                Ok(match file.wait(manner.mode)? {
                    Waiting::For(claim) => Self::Granted(claim),
                    Waiting::TooMany => Self::a_while(),
                    Waiting::Elsewhere => Self::AtOnce,
                })
            }
            (Rule::Oslo, _) => Ok(Self::a_while()),
        }
    }

    fn a_while() -> Self {
        Self::Until(Alarm::after(a_while()))
    }
}

/// From one to twenty milliseconds.
fn a_while() -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let chance = RandomState::new().hash_one(0) % 19_000;
    Duration::from_micros(1000 + chance)
}

impl All {
    #[track_caller]
    fn step(
        &mut self,
        owner: Owner,
        patience: Patience,
        waker: impl Fn() -> Waker,
    ) -> Poll<Result<Held, Error>> {
        assert!(!self.is_done, "a future was polled after it gave its guard");
        while let Some(current) = &mut self.current {
            match ready!(current.step(owner, patience, &waker, &self.held)) {
                Ok(hold) => self.held.extend(hold),
                Err(error) => {
                    self.is_done = true;
                    return Poll::Ready(Err(error));
                }
            }
            self.current = self.rest.next().map(One::new);
        }
        self.is_done = true;
        Poll::Ready(Ok(held_together(mem::take(&mut self.held))))
    }
}

impl Drop for All {
    fn drop(&mut self) {
        drop(self.current.take());
        drop(AllHeld(mem::take(&mut self.held)));
    }
}

/// What a guard of several lock files holds.
fn held_together(holds: Vec<FileHold>) -> Held {
    Held::more(AllHeld(holds))
}
