//! Taking a lock that is outside of this process.
//!
//! ```text
//! New ---> Queue --in-process lock--> Ask --the engine's lock--> Done
//!  ^                                  |  ^
//!  +---- another lock by now ---------+  |
//!                       busy, shared: |  | its turn
//!                                     v  |
//!                                     Turn
//! ```
//!
//! First the lock of the [`Line`], as any other in-process lock is taken, then
//! the engine's. Where the name leads to another lock by then, it all begins again with that
//! one. Who shares the in-process lock with others waits for its turn to wait outside: one of
//! them does it for all.

use super::asking::{Begins, Registered};
use super::engine::{Answer, Engine, rest};
use super::line::Line;
use super::request::Request;
#[cfg(feature = "file")]
use crate::drive::block_try;
use crate::drive::{AsyncGuardOf, By, GIVEN, GuardOf, Machine, Patience, Sharable};
use crate::error::{Error, ErrorKind};
use crate::graph;
use crate::held::{Held, Holding};
use crate::key::Key;
use crate::local::InProcess;
use crate::name::{Taken, describe};
use crate::observe::outcome::Outcome;
use crate::proof::Proof;
use crate::refusal::Refusal;
use crate::site::Site;
use crate::sync::Instant;
use crate::table::Hold;
use crate::table::policy::{Mode, Reentry};
use crate::timer::{Left, Timer};
use parking_lot::Mutex;
use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

/// How often a name may lead to another lock while one tries to take it. Somebody who removes
/// it and makes it as fast as that goes can be lucky a hundred times.
pub(crate) const ATTEMPTS: usize = 1000;

/// One lock of an engine being taken, see [`Machine`]; `None` when it is, since who takes the lock keeps what
/// it was taken by.
pub struct Outside<E: Engine>(Option<Box<One<E>>>);

/// One lock of an engine that is being taken, or is held; dropping it releases.
pub struct One<E: Engine> {
    /// Before `place`, which must be in use for as long as the in-process lock is held: who is the last
    /// to use it has nobody beside it.
    state: State<E>,
    place: Option<E::Place>,
    request: Request<E>,
    /// How often it was another lock than the one that was asked for.
    moved: usize,
}

/// The fields are dropped in their order, which is the reverse of that in which they were had.
enum State<E: Engine> {
    New,
    Queue(InProcess),
    Turn(InProcess, Hold),
    Ask(Asking<E>),
    Held(Part<E::Hold>, Hold),
    Done,
}

struct Asking<E: Engine> {
    /// In a mutex that nobody locks: for the compiler, others may see a hold, and this with it.
    wait: Mutex<E::Wait>,
    /// From when on it has to wait for an answer.
    registered: Option<Registered>,
    /// Held by who waits for all that share the in-process lock.
    turn: Option<Hold>,
    in_process: Hold,
}

/// A hold of the engine: one's own, or that of all in this process who have the lock together.
enum Part<H> {
    Own(H),
    Common(Arc<H>),
}

impl<H: Send + Sync + 'static> Part<H> {
    fn of<E: Engine<Hold = H>>(hold: H, place: &E::Place) -> Self {
        if E::SEPARATE_HOLDS {
            Self::Own(hold)
        } else {
            Self::Common(place.as_ref().share(hold))
        }
    }
}

impl<H> Deref for Part<H> {
    type Target = H;

    fn deref(&self) -> &H {
        match self {
            Self::Own(hold) => hold,
            Self::Common(hold) => hold,
        }
    }
}

impl<E: Engine> Outside<E> {
    /// # Errors
    ///
    /// If the key has no lock.
    pub(crate) fn new(engine: &Arc<E>, key: Key, mode: Mode, site: Site) -> Result<Self, Error> {
        match engine.locate(&key) {
            Ok(name) => Ok(Self::named(engine, key, name, mode, site)),
            Err(refusal) => Err(refusal.of(engine.name(), key, None)),
        }
    }

    /// Of a key whose lock's name is known.
    pub(crate) fn named(engine: &Arc<E>, key: Key, name: Key, mode: Mode, site: Site) -> Self {
        let request = Request {
            engine: Arc::clone(engine),
            key,
            name,
            terms: mode.once(),
            site,
        };
        Self(Some(Box::new(One {
            state: State::New,
            place: None,
            request,
            moved: 0,
        })))
    }

    /// Goes on for who has the in-process lock of a place already, and has asked the engine.
    #[cfg(feature = "file")]
    pub(crate) fn asked(mut self, place: E::Place, in_process: Hold, wait: E::Wait) -> Self {
        let wait = Mutex::new(wait);
        let asking = Asking::of(in_process);
        let one = self.one_mut();
        one.place = Some(place);
        one.state = State::Ask(Asking { wait, ..asking });
        self
    }

    pub(super) fn name(&self) -> &Key {
        &self.one().request.name
    }

    fn one(&self) -> &One<E> {
        self.0.as_ref().expect(GIVEN)
    }

    #[track_caller]
    fn one_mut(&mut self) -> &mut One<E> {
        self.0.as_mut().expect(GIVEN)
    }

    /// Takes the lock for a thread if that needs no waiting, and gives it without a guard.
    ///
    /// # Errors
    ///
    /// As [`Acquire::try_now`](crate::acquire::Acquire::try_now).
    #[cfg(feature = "file")]
    pub(crate) fn try_alone(mut self) -> Result<Box<One<E>>, Error> {
        let hold = block_try(|by| self.try_step(by, &[]))?;
        Ok(hold.expect("there is nothing that it could be held with"))
    }
}

impl<E: Engine> One<E> {
    /// Goes on until it has the lock, or finds that it is one of those that are held; tells whether
    /// it has.
    #[track_caller]
    fn go_on(&mut self, by: &By<'_>, held: &[Box<Self>]) -> Poll<Result<bool, Error>> {
        loop {
            match &mut self.state {
                State::New => {
                    if self.begin(held)? {
                        return Poll::Ready(Ok(false));
                    }
                }
                State::Queue(queue) if by.patience == Patience::Try => {
                    let in_process = queue.try_now(by.owner);
                    let in_process = in_process.map_err(|error| self.own(error))?;
                    self.state = State::Ask(Asking::of(in_process));
                }
                State::Queue(queue) => {
                    let Poll::Ready(in_process) = queue.poll(by, true) else {
                        // It waits for the lock, and so not for one that is replaced at once.
                        self.moved = 0;
                        if let Some(place) = &mut self.place {
                            self.request.engine.set_waiting(place, true);
                        }
                        return Poll::Pending;
                    };
                    self.state = State::Ask(Asking::of(in_process));
                }
                State::Turn(queue, _) => {
                    let turn = Some(ready!(queue.poll(by, true)));
                    if let State::Turn(_, in_process) = mem::replace(&mut self.state, State::Done) {
                        let asking = Asking::of(in_process);
                        self.state = State::Ask(Asking { turn, ..asking });
                    }
                }
                State::Ask(_) => ready!(self.ask(by))?,
                State::Held(..) => return Poll::Ready(Ok(true)),
                State::Done => panic!("{GIVEN}"),
            }
        }
    }

    /// Joins the queue in the process, unless the lock is one of those that are held.
    fn begin(&mut self, held: &[Box<Self>]) -> Result<bool, Error> {
        let Self { request, place, .. } = self;
        let Request { engine, name, .. } = &*request;
        let place = match place {
            Some(place) => place,
            none => none.insert(
                engine
                    .place(name)
                    .map_err(|refusal| request.refuse(refusal))?,
            ),
        };
        for hold in held {
            let is_same = engine.is_same(place, hold.place());
            if is_same.map_err(|refusal| request.refuse(refusal))? {
                return Ok(true);
            }
        }
        let line = place.as_ref();
        let called = line.called(&request.key);
        let queue = line.locks.machine(called, request.terms, request.site);
        self.state = State::Queue(queue);
        Ok(false)
    }

    /// Asks the engine. Where the lock isn't to be had, decides how to go on.
    fn ask(&mut self, by: &By<'_>) -> Poll<Result<(), Error>> {
        let (State::Ask(asking), Some(place)) = (&mut self.state, &mut self.place) else {
            unreachable!("it has the in-process lock of a place");
        };
        let request = &self.request;
        let engine = &*request.engine;
        // That of others who share the lock, or of the thread itself. There is none for who is
        // alone: a hold is released before its lock in the process is.
        if !E::SEPARATE_HOLDS {
            if let Some(hold) = place.as_ref().hold() {
                let lost = E::proof(&hold).check();
                lost.map_err(|refusal| request.refuse(refusal))?;
                self.end(Part::Common(hold));
                return Poll::Ready(Ok(()));
            }
        }
        let answer = ready!(asking.poll(request, place, by));
        let answer = answer.map_err(|refusal| request.refuse(refusal))?;
        let ask = request.ask(asking.turn.is_some(), Begins(&|| {}));
        match answer {
            Answer::Granted(hold) => {
                if let Some(lease) = E::proof(&hold).lease() {
                    lease.set_lock(request.taken(), by.owner);
                }
                let hold = Part::of::<E>(hold, place);
                self.end(hold);
                Poll::Ready(Ok(()))
            }
            Answer::Busy if ask.waits(by) => {
                panic!("{engine:?} says that it is busy to somebody who waits, see `Ask::waits`")
            }
            Answer::Busy if by.patience == Patience::Try => {
                Poll::Ready(Err(request.refused(place)))
            }
            Answer::Busy if by.patience == Patience::Last => Poll::Pending,
            Answer::Busy => {
                let line: &Line = place.as_ref();
                let terms = Mode::Exclusive.once();
                let called = line.called(&request.key);
                let queue = line.turns.machine(called, terms, request.site);
                if let State::Ask(asking) = mem::replace(&mut self.state, State::Done) {
                    self.state = State::Turn(queue, asking.in_process);
                }
                Poll::Ready(Ok(()))
            }
            Answer::Moved => {
                self.moved += 1;
                if self.moved == ATTEMPTS {
                    return Poll::Ready(Err(request.moved_too_often()));
                }
                let anew = engine.place_anew(place, &request.name);
                let anew = anew.map_err(|refusal| request.refuse(refusal))?;
                // Before its lock is out of use.
                self.state = State::New;
                self.place = Some(anew);
                Poll::Ready(Ok(()))
            }
        }
    }

    /// It has the lock.
    fn end(&mut self, hold: Part<E::Hold>) {
        let State::Ask(Asking { in_process, .. }) = mem::replace(&mut self.state, State::Done)
        else {
            unreachable!("it has the in-process lock");
        };
        self.state = State::Held(hold, in_process);
        if let Some(place) = &mut self.place {
            self.request.engine.set_waiting(place, false);
        }
    }

    pub(crate) fn place(&self) -> &E::Place {
        self.place
            .as_ref()
            .expect("a place is in use while it is held")
    }

    /// Fails if it is held and lost.
    fn check(&self) -> Result<(), Error> {
        let State::Held(hold, _) = &self.state else {
            return Ok(());
        };
        let lost = E::proof(hold).check();
        lost.map_err(|refusal| {
            refusal.of(self.request.engine.name(), self.request.key.clone(), None)
        })
    }

    /// The in-process lock that is waited for.
    fn queue(&mut self) -> Option<&mut InProcess> {
        match &mut self.state {
            State::Queue(queue) | State::Turn(queue, _) => Some(queue),
            State::New | State::Ask(_) | State::Held(..) | State::Done => None,
        }
    }

    /// What an error of the in-process lock means here.
    fn own(&self, error: Error) -> Error {
        match &self.place {
            Some(place) => self.request.of_this_lock(error, place),
            None => error,
        }
    }
}

impl<E: Engine> Asking<E> {
    /// Of who has the in-process lock, before the first step.
    fn of(in_process: Hold) -> Self {
        Self {
            wait: Mutex::default(),
            registered: None,
            turn: None,
            in_process,
        }
    }

    /// A step of the engine. From when on it is pending, or blocks, it is registered as one that
    /// asks, and that waits if somebody else has the lock.
    fn poll(
        &mut self,
        request: &Request<E>,
        place: &mut E::Place,
        by: &By<'_>,
    ) -> Poll<Result<Answer<E::Hold>, Refusal>> {
        let wait = self.wait.get_mut();
        let kept = Cell::new(self.registered.take());
        let begin = |waits: bool| {
            let register =
                || Registered::new(&self.in_process, by.left.map(Left::get), request.asked());
            let mut registered = kept.take().unwrap_or_else(register);
            if waits {
                let told = registered.begin_wait(request.terms.mode);
                told.into_iter().for_each(graph::watch_long_waits);
            }
            kept.set(Some(registered));
        };
        let blocks = || begin(true);
        let ask = request.ask(self.turn.is_some(), Begins(&blocks));
        let answer = request.engine.poll(place, wait, &ask, by);
        match &answer {
            Poll::Pending => {
                begin(request.engine.is_behind(place, wait));
                self.registered = kept.take();
            }
            Poll::Ready(result) => {
                if let Some(mut registered) = kept.take() {
                    registered.outcome = outcome(result);
                }
            }
        }
        answer
    }
}

/// What a wait has come to that is over with this answer.
fn outcome<H>(result: &Result<Answer<H>, Refusal>) -> Outcome {
    match result {
        // Of a lock that was replaced meanwhile it is the lock before: its holder has let it go.
        Ok(Answer::Granted(_) | Answer::Moved) => Outcome::Acquired,
        Ok(Answer::Busy) => Outcome::TimedOut, // Who waits is told so by the last try.
        Err(_) => Outcome::Failed,
    }
}

impl<E: Engine> Machine for Outside<E> {
    type Hold = Box<One<E>>;
    type Failure = Error;
    type Proof = E::Proof;
    type Quick = GuardOf<Self>;
    type AsyncQuick = AsyncGuardOf<Self>;
    const IS_ASKED_FOR: bool = true;

    #[track_caller]
    fn step(
        &mut self,
        by: &By<'_>,
        held: &[Box<One<E>>],
    ) -> Poll<Result<Option<Box<One<E>>>, Error>> {
        let one = self.one_mut();
        // Of the locks of one call the first was looked at. The others come in the order of the engine, which
        // is the same for all callers and may be another one than that of the keys.
        let by = &By {
            is_ordered: by.is_ordered || !held.is_empty(),
            ..*by
        };
        let result = ready!(one.go_on(by, held)).and_then(|is_taken| {
            // Those before it may have been lost while this one was waited for. Others may have them then, with
            // smaller fences than this one's.
            held.iter().try_for_each(|before| before.check())?;
            Ok(is_taken)
        });
        if let Ok(true) = result {
            return Poll::Ready(Ok(self.0.take()));
        }
        one.state = State::Done;
        Poll::Ready(result.map(|_| None))
    }

    #[track_caller]
    fn try_step(
        &mut self,
        by: &By<'_>,
        held: &[Box<One<E>>],
    ) -> Poll<Result<Option<Box<One<E>>>, Error>> {
        self.step(by, held)
    }

    /// Only the lock in the process: what is outside is asked for by the first step.
    #[track_caller]
    fn take_soon(&mut self) -> Option<Box<One<E>>> {
        let one = self.one_mut();
        if !matches!(one.state, State::New) {
            return None;
        }
        let Request {
            engine,
            key,
            name,
            terms,
            site,
        } = &one.request;
        // What is wrong with it, the first step says.
        let place = &*one.place.insert(engine.place(name).ok()?);
        let line = place.as_ref();
        let called = line.called(key).as_bytes();
        let in_process = line.locks.take_soon(called, *terms, *site, E::IS_BRIEF)?;
        one.state = State::Ask(Asking::of(in_process));
        None
    }

    fn proof(one: &Box<One<E>>) -> E::Proof {
        match &one.state {
            State::Held(hold, _) => E::proof(hold),
            _ => unreachable!("it is held until it is dropped"),
        }
    }

    fn set_reentry(&mut self, reentry: Reentry) {
        self.one_mut().request.terms.reentry = reentry;
    }

    fn wakes_at(&mut self) -> Option<Instant> {
        let one = self.one_mut();
        if let State::Ask(asking) = &mut one.state {
            let at = one.request.engine.wakes_at(asking.wait.get_mut())?;
            return Timer::start(rest(at)).deadline;
        }
        one.queue()?.wakes_at()
    }

    fn deadlock(&mut self) -> Option<Error> {
        let one = self.one_mut();
        let error = one.queue()?.deadlock()?;
        Some(one.own(error))
    }

    fn timed_out(&mut self, waited: Duration) -> Option<Error> {
        let one = self.one_mut();
        if let State::Ask(Asking {
            registered: Some(registered),
            ..
        }) = &mut one.state
        {
            registered.outcome = Outcome::TimedOut;
        }
        if let Some(queue) = one.queue() {
            let error = queue.timed_out(waited)?;
            return Some(one.own(error));
        }
        let place = one.place.as_ref()?;
        let error = one.request.busy(ErrorKind::Timeout, place);
        let error = error.with_waited(waited);
        let State::Ask(asking) = &mut one.state else {
            return Some(error);
        };
        let unanswered = one.request.engine.unanswered(place, asking.wait.get_mut());
        let suspicion = graph::beyond(asking.in_process.id());
        Some(error.with_unanswered(unanswered).with_deadlock(suspicion))
    }

    fn taken(&self) -> Option<Taken> {
        Some(self.0.as_ref()?.request.taken())
    }
}

impl<E: Engine + Sharable> Sharable for Outside<E> {}

impl<E: Engine> Holding for One<E> {
    fn taken(&self) -> Vec<Taken> {
        vec![self.request.taken()]
    }

    fn disown(&self) {
        if let State::Held(_, in_process) = &self.state {
            in_process.disown();
        }
    }

    fn files(&self) -> io::Result<Vec<File>> {
        match &self.state {
            State::Held(hold, _) => E::files(hold),
            _ => Ok(Vec::new()),
        }
    }
}

impl<E: Engine> From<Box<One<E>>> for Held {
    fn from(one: Box<One<E>>) -> Self {
        Self::more(one)
    }
}

impl<E: Engine> fmt::Debug for Outside<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "Outside", &Vec::from_iter(self.taken()))
    }
}
