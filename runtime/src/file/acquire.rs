//! Taking a lock file: one state machine, with blocking and async drivers.
//!
//! ```text
//! Queue --in-process lock--> Kernel --the kernel's lock--> Done
//!                              |  ^
//!                busy, shared: |  | its turn
//!                              v  |
//!                              Turn
//! ```
//!
//! First the in-process lock of the file, as any other lock is taken, then the kernel's, see
//! [`kernel`](super::kernel). Who shares the in-process lock with others waits for its turn
//! to wait in the kernel: one of them does it for all.
//!
//! A thread without a timeout waits in the kernel itself. A task, or a thread with a
//! timeout, has another thread wait, see [`wait`](super::wait). Where Python polls the same
//! file, and where too many threads wait already, it tries again after a while, at a time
//! that is left to chance.

use super::descriptor::Failure;
use super::kernel::{Manner, Tried};
use super::path::Rule;
use super::table::InUse;
use super::wait::Claim;
use super::{Directory, FileSpace};
use crate::alarm::Alarm;
use crate::error::{Error, ErrorKind};
use crate::guard::{AsyncGuard, Guard, Holding};
use crate::key::Key;
use crate::local::{Acquire as Queue, Held, Mode, Signal, Terms};
use crate::owner::Owner;
use crate::site::Site;
use crate::space::Wait;
use crate::sync::Instant;
use crate::timer::{AsyncTimer, Timer};
use std::cell::OnceCell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use std::{mem, vec};

/// A lock file that is held; dropping it releases.
#[derive(Debug)]
pub(super) struct FileHold {
    file: InUse,
    rule: Rule,
    in_process: Option<Held>,
}

impl FileHold {
    /// Takes a lock for a thread if it is free, or soon is; also `None` if something is
    /// wrong with it.
    pub(super) fn try_soon(
        directory: &'static Directory,
        rule: Rule,
        name: &Key,
        terms: Terms,
        site: Site,
    ) -> Option<Self> {
        let file = InUse::of(directory, name);
        let held = directory.locks.try_soon(name.as_bytes(), terms, site)?;
        let manner = Manner {
            rule,
            mode: terms.mode,
            site,
            gives_way: true,
        };
        match file.try_take(manner) {
            Ok(Tried::Taken) => Some(Self::new(file, rule, held)),
            Ok(Tried::Busy | Tried::Paused(_)) | Err(_) => None,
        }
    }

    /// Of who has the kernel's lock and the in-process one.
    pub(super) fn new(file: InUse, rule: Rule, in_process: Held) -> Self {
        Self {
            file,
            rule,
            in_process: Some(in_process),
        }
    }

    /// As a guard has it.
    pub(super) fn into_held(self) -> Held {
        Held::more(self)
    }

    pub(super) fn file(&self) -> &InUse {
        &self.file
    }
}

impl Holding for FileHold {
    fn disown(&self) {
        self.in_process.iter().for_each(Held::disown);
    }
}

impl Drop for FileHold {
    fn drop(&mut self) {
        self.file.release(self.rule);
        // Before the file is out of use: who is the last to use it has nobody beside it.
        self.in_process = None;
    }
}

/// Several of them, which are released in reverse.
#[derive(Debug)]
struct AllHeld(Vec<FileHold>);

impl Holding for AllHeld {
    fn disown(&self) {
        self.0.iter().for_each(FileHold::disown);
    }
}

impl Drop for AllHeld {
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}

/// One lock file to take, how, and where in the code.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) space: FileSpace,
    pub(super) key: Key,
    pub(super) name: Key,
    pub(super) terms: Terms,
    pub(super) site: Site,
}

impl Request {
    fn manner(&self, gives_way: bool) -> Manner {
        Manner {
            rule: self.space.rule,
            mode: self.terms.mode,
            site: self.site,
            gives_way,
        }
    }

    /// Takes the lock if that needs no waiting.
    pub(super) fn try_now(&self, owner: Owner) -> Result<FileHold, Error> {
        let file = InUse::of(self.space.directory, &self.name);
        let locks = &self.space.directory.locks;
        let queue = locks.acquire(&self.name, self.terms, self.site);
        match queue.try_now(owner) {
            Ok(held) => self.try_kernel(file, held),
            Err(error) => Err(self.of_this_lock(error, &file)),
        }
    }

    fn try_kernel(&self, file: InUse, held: Held) -> Result<FileHold, Error> {
        match file.try_take(self.manner(false)) {
            Ok(Tried::Taken) => Ok(FileHold::new(file, self.space.rule, held)),
            Ok(Tried::Busy | Tried::Paused(_)) => Err(self.refused(ErrorKind::Busy, &file)),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// The error of who finds the kernel's lock taken.
    fn refused(&self, kind: ErrorKind, file: &InUse) -> Error {
        let holder = file.holder(self.space.rule);
        Error::new(kind, self.space.name, self.key.clone(), holder).with_file(file.path.clone())
    }

    pub(super) fn failed(&self, failure: Failure) -> Error {
        self.space.failed(self.key.clone(), self.path(), failure)
    }

    /// What the in-process lock's error means here.
    fn of_this_lock(&self, error: Error, file: &InUse) -> Error {
        let error = error.renamed(self.space.name, self.key.clone(), file.path.clone());
        if file.is_held() || error.kind() == ErrorKind::Deadlock {
            return error;
        }
        // Who has the in-process lock waits for another process.
        match file.holder(self.space.rule) {
            Some(holder) => error.with_holder(Some(holder)),
            None => error,
        }
    }
}

/// A lock file, or several, being taken. Dropping it half-way leaves the queues, and
/// releases those that it has.
#[derive(Debug)]
pub(super) enum Acquire {
    One(Box<One>),
    All(Box<All>),
    /// There is no such lock.
    Failed(Option<Error>),
}

/// One lock file being taken.
#[derive(Debug)]
pub(super) struct One {
    request: Request,
    /// Before `file`, which must be in use for as long as the in-process lock is held.
    state: State,
    file: Option<InUse>,
}

#[derive(Debug)]
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
#[derive(Debug)]
enum Next {
    AtOnce,
    Granted(Claim),
    Until(Alarm),
}

/// Several lock files being taken, in the order of the list.
#[derive(Debug)]
pub(super) struct All {
    held: Vec<FileHold>,
    current: Option<One>,
    rest: vec::IntoIter<Request>,
    is_done: bool,
}

/// How somebody waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
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

    fn step(
        &mut self,
        owner: Owner,
        patience: Patience,
        waker: impl Fn() -> Waker,
    ) -> Poll<Result<Held, Error>> {
        match self {
            Self::One(one) => {
                let hold = ready!(one.step(owner, patience, waker));
                Poll::Ready(hold.map(FileHold::into_held))
            }
            Self::All(all) => all.step(owner, patience, waker),
            Self::Failed(error) => Poll::Ready(Err(error
                .take()
                .expect("a future is not polled after it gave its error"))),
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
            Self::One(one) => one.request.try_now(owner).map(FileHold::into_held),
            Self::All(mut all) => {
                let first = all.current.take().map(|one| one.request);
                let requests = first.into_iter().chain(mem::take(&mut all.rest));
                let holds = requests.map(|request| request.try_now(owner));
                Ok(held_together(holds.collect::<Result<_, _>>()?))
            }
            Self::Failed(error) => Err(error.expect("who tries hasn't waited")),
        }
    }

    /// Tries a last time and gives up; is pending if the lock was handed over meanwhile.
    fn give_up(
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

    /// Blocks the thread until it has the lock.
    pub(super) fn block(mut self) -> Result<Held, Error> {
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
        }
    }

    fn step(
        &mut self,
        owner: Owner,
        patience: Patience,
        waker: impl Fn() -> Waker,
    ) -> Poll<Result<FileHold, Error>> {
        let Self {
            request,
            state,
            file,
        } = self;
        let Request {
            space,
            name,
            terms,
            site,
            ..
        } = &*request;
        let manner = request.manner(patience != Patience::Last);
        let file_in_use = &*file.get_or_insert_with(|| InUse::of(space.directory, name));
        loop {
            match state {
                State::New => {
                    let queue = space.directory.locks.acquire(name, *terms, *site);
                    *state = State::Queue(queue);
                }
                State::Queue(queue) => {
                    let in_process = ready!(queue.step(owner, true, &waker));
                    *state = State::Kernel {
                        in_process,
                        next: Next::AtOnce,
                        turn: None,
                    };
                }
                State::Turn(_, queue) => {
                    let turn = Some(ready!(queue.step(owner, true, &waker)));
                    let State::Turn(in_process, _) = mem::replace(state, State::Done) else {
                        unreachable!("it is this state")
                    };
                    *state = State::Kernel {
                        in_process,
                        next: Next::AtOnce,
                        turn,
                    };
                }
                State::Kernel {
                    in_process: _,
                    next,
                    turn,
                } => {
                    // Who was granted the lock has it already, and gives way to nobody.
                    let gives_way = manner.gives_way && !matches!(next, Next::Granted(_));
                    match next {
                        Next::Granted(claim) => {
                            if let Err(failure) = ready!(claim.poll(waker())) {
                                *state = State::Done;
                                return Poll::Ready(Err(request.failed(failure)));
                            }
                        }
                        Next::Until(_) if patience == Patience::Last => {}
                        Next::Until(alarm) if patience == Patience::Task => {
                            ready!(alarm.poll(waker()));
                        }
                        // A thread sleeps until then by itself, see `One::pause`.
                        Next::Until(alarm) if !alarm.is_over() => return Poll::Pending,
                        Next::AtOnce | Next::Until(_) => {}
                    }
                    let tried = file_in_use.try_take(Manner {
                        gives_way,
                        ..manner
                    });
                    *next = Next::AtOnce;
                    match tried {
                        Ok(Tried::Taken) => break,
                        Ok(Tried::Busy) if patience == Patience::Last => return Poll::Pending,
                        Ok(Tried::Paused(until)) => *next = Next::Until(Alarm::at(until)),
                        Ok(Tried::Busy) if manner.mode == Mode::Shared && turn.is_none() => {
                            let queue =
                                space.directory.turns.acquire(name, Terms::EXCLUSIVE, *site);
                            let State::Kernel { in_process, .. } = mem::replace(state, State::Done)
                            else {
                                unreachable!("it is this state")
                            };
                            *state = State::Turn(in_process, queue);
                        }
                        Ok(Tried::Busy) => match Next::busy(file_in_use, manner, patience) {
                            Ok(then) => *next = then,
                            Err(failure) => {
                                *state = State::Done;
                                return Poll::Ready(Err(request.failed(failure)));
                            }
                        },
                        Err(failure) => {
                            *state = State::Done;
                            return Poll::Ready(Err(request.failed(failure)));
                        }
                    }
                }
                State::Done => panic!("a future was polled after it gave its guard"),
            }
        }
        let State::Kernel { in_process, .. } = mem::replace(state, State::Done) else {
            unreachable!("the loop ends in this state")
        };
        let file = file.take().expect("it is in use until here");
        Poll::Ready(Ok(FileHold::new(file, manner.rule, in_process)))
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

impl Next {
    /// How to go on where another process has the lock. Blocks who may be blocked.
    fn busy(file: &InUse, manner: Manner, patience: Patience) -> Result<Self, Failure> {
        match (manner.rule, patience) {
            (Rule::Own, Patience::Thread) => {
                file.block(manner.mode)?;
                Ok(Self::AtOnce)
            }
            (Rule::Own, Patience::Timed | Patience::Task | Patience::Last) => {
                let claim = file.wait(manner.mode)?;
                Ok(claim.map_or_else(Self::a_while, Self::Granted))
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
    fn step(
        &mut self,
        owner: Owner,
        patience: Patience,
        waker: impl Fn() -> Waker,
    ) -> Poll<Result<Held, Error>> {
        assert!(!self.is_done, "a future was polled after it gave its guard");
        while let Some(current) = &mut self.current {
            match ready!(current.step(owner, patience, &waker)) {
                Ok(hold) => self.held.push(hold),
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

/// The wait of a task for a lock file, or for several; gives an [`AsyncGuard`] or an
/// [`Error`].
///
/// # Cancel safety
///
/// Dropping it leaves the queue; a lock that was just being handed over to it, or granted
/// by the kernel, goes to the next waiter.
///
/// # Examples
///
/// ```
/// use lockutils::{Error, FileLocks};
/// use std::time::Duration;
///
/// async fn migrate(locks: &FileLocks) -> Result<(), Error> {
///     let _guard = locks.key("schema").lock_timeout_async(Duration::from_secs(5)).await?;
///     // No other task, thread or process is in here.
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "a future takes no lock until it is awaited"]
pub struct FileLockFuture {
    /// `None` when it has failed: who keeps the future keeps no place in the queue.
    acquire: Option<Acquire>,
    timeout: Option<Duration>,
    /// From when the lock was found busy.
    timer: Option<AsyncTimer>,
}

impl FileLockFuture {
    pub(super) const fn new(acquire: Acquire, timeout: Option<Duration>) -> Self {
        Self {
            acquire: Some(acquire),
            timeout,
            timer: None,
        }
    }

    fn into_acquire(self) -> Acquire {
        self.acquire.expect("it was not polled")
    }
}

/// A hold that is not yet a thread's or a task's.
#[doc(hidden)]
#[derive(Debug)]
pub struct FileHeld(Held);

impl From<FileHold> for FileHeld {
    fn from(hold: FileHold) -> Self {
        Self(hold.into_held())
    }
}

impl From<FileHeld> for Guard {
    fn from(FileHeld(held): FileHeld) -> Self {
        Self::new(held)
    }
}

impl From<FileHeld> for AsyncGuard {
    fn from(FileHeld(held): FileHeld) -> Self {
        Self::new(held)
    }
}

impl Wait for FileLockFuture {
    type Held = FileHeld;
    type Guard = Guard;
    type AsyncGuard = AsyncGuard;
    type Failure = Error;
    type Timed = Self;
    type Try = FileLockNow;

    fn block(self) -> Result<Guard, Error> {
        self.into_acquire().block().map(Guard::new)
    }

    fn block_for(self, timeout: Duration) -> Result<Guard, Error> {
        self.into_acquire().block_for(timeout).map(Guard::new)
    }

    fn try_now(self) -> Result<Guard, Error> {
        self.into_acquire().try_now(Owner::thread()).map(Guard::new)
    }

    fn timed(self, timeout: Duration) -> Self {
        Self::new(self.into_acquire(), Some(timeout))
    }

    fn try_async(self) -> FileLockNow {
        FileLockNow(Some(self.into_acquire()))
    }
}

/// The try of a task.
#[doc(hidden)]
#[derive(Debug)]
pub struct FileLockNow(Option<Acquire>);

impl Future for FileLockNow {
    type Output = Result<AsyncGuard, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let acquire = self.0.take().expect("a future is polled once");
        let held = acquire.try_now(Owner::task(context.waker()));
        Poll::Ready(held.map(AsyncGuard::new))
    }
}

impl Future for FileLockFuture {
    type Output = Result<AsyncGuard, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            acquire: place,
            timeout,
            timer,
        } = &mut *self;
        let waker = context.waker();
        let acquire = place
            .as_mut()
            .expect("a future is not polled after it gave its error");
        let step = acquire.step(Owner::task(waker), Patience::Task, || waker.clone());
        if let Poll::Ready(result) = step {
            if result.is_err() {
                *place = None;
            }
            return Poll::Ready(result.map(AsyncGuard::new));
        }
        let Some(timeout) = *timeout else {
            return Poll::Pending;
        };
        let timer = timer.get_or_insert_with(|| AsyncTimer::start(timeout));
        let waited = ready!(timer.poll_over(context));
        let last = acquire.give_up(Owner::task(waker), waited, || waker.clone());
        if let Poll::Ready(Err(_)) = last {
            *place = None;
        }
        last.map_ok(AsyncGuard::new)
    }
}
