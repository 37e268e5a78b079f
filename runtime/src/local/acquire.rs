//! Taking a lock: one state machine, with blocking and async drivers.
//!
//! ```text
//! New --free--> Done          New --busy--> Queued --free or handed over--> Done
//!                                             |  ^
//!                                             woken and overtaken
//! ```
//!
//! [`Acquire::step`] is a step of it. A waiter keeps its place in the queue until it
//! has the lock, also when it was woken and a newcomer was faster. Who is dropped in
//! `Queued` leaves the queue, and passes on a lock or a wake-up that was on its way
//! to it. Several locks are taken one after the other.
//!
//! The drivers are [`Acquire::block`] and [`Acquire::block_for`] for threads,
//! [`LockFuture`] and [`LockTimeoutFuture`] for tasks.

use super::request::{Request, refused};
use crate::error::{Error, ErrorKind};
use crate::graph::Waiting;
use crate::guard::AsyncGuard;
use crate::held::Held;
use crate::name::{Taken, describe};
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::space::Reentry;
use crate::sync::{self, Condvar, Instant, Mutex};
use crate::table::entry::OVERTAKE;
use crate::table::policy::{Mode, Terms};
use crate::table::{self, Hold, Name};
use crate::timer::{AsyncTimer, Timer};
use std::cell::OnceCell;
use std::fmt;
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;
use std::vec;

/// How often a thread tries again before it joins the queue. In a model it does so at
/// once, or it would rarely come to that.
const SPINS: u32 = if cfg!(all(test, loom)) { 0 } else { 10 };

/// A lock, or several, being taken. Dropping it half-way leaves the queue, and
/// releases those that it has.
pub(crate) enum Acquire {
    One(One),
    All(Box<All>),
}

/// One lock being taken.
pub(crate) struct One {
    state: State,
}

enum State {
    New(Request),
    Queued(Waiting),
    Done,
}

/// Several locks being taken, in the order of the list.
pub(crate) struct All {
    held: Vec<Hold>,
    /// `None` when all are held.
    current: Option<One>,
    rest: vec::IntoIter<Request>,
    is_done: bool,
}

impl Acquire {
    #[inline]
    pub(super) const fn one(request: Request) -> Self {
        Self::One(One::new(request))
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

    /// Says whether the thread goes straight in where it holds a lock already.
    pub(super) fn with(mut self, reentry: Reentry) -> Self {
        let (current, rest) = match &mut self {
            Self::One(one) => (Some(one), &mut [][..]),
            Self::All(all) => (all.current.as_mut(), all.rest.as_mut_slice()),
        };
        let current = current.and_then(One::request_mut);
        for request in current.into_iter().chain(rest) {
            request.terms.reentrant = reentry == Reentry::Allowed;
        }
        self
    }

    /// A step: takes what there is to take, or sees to it that the waker is called when
    /// the next step is due. The waker is made only where a lock is busy. Whether the call
    /// can fail counts for threads, see [`graph`](crate::graph).
    #[inline]
    #[track_caller]
    pub(crate) fn step(
        &mut self,
        owner: Owner,
        can_fail: bool,
        waker: impl Fn() -> Waker,
    ) -> Poll<Held> {
        match self {
            Self::One(one) => one.step(owner, can_fail, waker).map(Held::one),
            Self::All(all) => all.step(owner, can_fail, waker),
        }
    }

    /// The lock that is waited for.
    fn waiting(&mut self) -> &mut Waiting {
        let one = match self {
            Self::One(one) => one,
            Self::All(all) => all.current.as_mut().expect("some lock is busy"),
        };
        match &mut one.state {
            State::Queued(waiting) => waiting,
            State::New(_) | State::Done => unreachable!("only who is in the queue waits"),
        }
    }

    /// When the thread is to look again at what it waits for, see [`Waiting::look`].
    pub(crate) fn look(&mut self) -> Option<Instant> {
        self.waiting().look()
    }

    /// The deadlock that waiting would be.
    pub(crate) fn deadlock(&mut self) -> Option<Error> {
        let waiting = self.waiting();
        let deadlock = waiting.take_deadlock()?;
        let error = refused(waiting.place, ErrorKind::Deadlock)?;
        Some(error.with_deadlock(Some(deadlock)))
    }

    /// The error of who gives up now; `None` if the lock was handed over meanwhile. Then
    /// the waker has been called, and the next step takes the lock.
    pub(crate) fn timed_out(&mut self, waited: Duration) -> Option<Error> {
        let waiting = self.waiting();
        let error = refused(waiting.place, ErrorKind::Timeout)?;
        let suspicion = waiting.suspicion(waited);
        Some(error.with_waited(waited).with_deadlock(suspicion))
    }

    /// The locks, those that are held first, for people.
    pub(super) fn taken(&self) -> Vec<Taken> {
        match self {
            Self::One(one) => Vec::from_iter(one.taken()),
            Self::All(all) => {
                let held = all.held.iter().filter_map(table::taken);
                let current = all.current.iter().filter_map(One::taken);
                let rest = all.rest.as_slice().iter().map(Request::taken);
                held.chain(current).chain(rest).collect()
            }
        }
    }

    /// Takes what there is to take, if all of it has room.
    pub(crate) fn try_now(self, owner: Owner) -> Result<Held, Error> {
        match self {
            Self::One(mut one) => one.try_now(owner).map(Held::one),
            Self::All(mut all) => all.try_now(owner),
        }
    }

    /// Blocks the thread until it has the lock. Panics instead of closing a deadlock.
    #[cold]
    #[track_caller]
    pub(super) fn block(self) -> Held {
        if let Self::One(One {
            state: State::New(request),
        }) = &self
        {
            if let Some(hold) = take_or_spin(request.name(), request.terms, request.site) {
                return Held::one(hold);
            }
        }
        self.block_in_queue()
    }

    /// The same, without another try before it joins the queue.
    #[track_caller]
    pub(super) fn block_in_queue(mut self) -> Held {
        let signal = OnceCell::new();
        loop {
            if let Poll::Ready(held) = self.step(Owner::thread(), false, || {
                signal.get_or_init(Signal::new).waker()
            }) {
                return held;
            }
            if let Some(error) = self.deadlock() {
                drop(self);
                panic!("{error}");
            }
            signal.get_or_init(Signal::new).wait(self.look());
        }
    }

    /// Blocks the thread until it has the lock, or until the time is over, of which zero
    /// is one try.
    #[cold]
    pub(super) fn block_for(mut self, timeout: Duration) -> Result<Held, Error> {
        let signal = OnceCell::new();
        let mut timer = None;
        loop {
            if let Poll::Ready(held) = self.step(Owner::thread(), true, || {
                signal.get_or_init(Signal::new).waker()
            }) {
                return Ok(held);
            }
            // Looked at after the step: the lock may have been given as time ran out.
            let timer = timer.get_or_insert_with(|| Timer::start(timeout));
            if timer.is_over() {
                if let Some(error) = self.timed_out(timer.start.elapsed()) {
                    return Err(error);
                }
            }
            // After the time: who doesn't wait is in no deadlock.
            if let Some(error) = self.deadlock() {
                return Err(error);
            }
            let next = timer.next(self.look());
            signal.get_or_init(Signal::new).wait(next);
        }
    }
}

/// What a thread does before it joins the queue: it takes the lock if that has room, and else
/// tries the fast path again for about as long as it takes to block and be woken.
///
/// Where the holder is soon done the lock stays on the fast path so, and nobody who waits is
/// overtaken, since the fast path is closed as long as there is somebody in the queue.
///
/// Only the holder of this very lock is worth a pause. A lock that the fast path has no place
/// for, as one with several permits or beside another key in the bucket, is taken at once.
pub(super) fn take_or_spin(name: Name<'_>, terms: Terms, site: Site) -> Option<Hold> {
    let owner = Owner::thread();
    let record = Record { owner, site };
    let Terms { mode, reentrant } = terms;
    // Who spins has no place in line, and a re-entry finds its own lock in the way.
    let may_spin =
        name.may_be_thin() && mode == Mode::Exclusive && !(name.space.policy.fair || reentrant);
    if may_spin {
        if let Some(hold) = try_thin_again(name, record) {
            return Some(hold);
        }
    }
    if !(may_spin && table::is_held_thin(name)) {
        if let Some(hold) = table::try_take(name, terms, record) {
            return Some(hold);
        }
    }
    if !may_spin {
        return None;
    }
    let start = Instant::now();
    for round in 0..SPINS {
        sync::pause(round);
        if let Some(hold) = try_thin_again(name, record) {
            return Some(hold);
        }
        // On a busy machine a pause can take longer than anybody is to be overtaken.
        if start.elapsed() >= OVERTAKE {
            break;
        }
    }
    None
}

/// Takes the lock by its bucket alone, if that has become free.
fn try_thin_again(name: Name<'_>, record: Record) -> Option<Hold> {
    if !table::looks_free(name) {
        return None;
    }
    table::try_take_thin(name, record).map(Hold::thin)
}

impl One {
    const fn new(request: Request) -> Self {
        Self {
            state: State::New(request),
        }
    }

    fn taken(&self) -> Option<Taken> {
        match &self.state {
            State::New(request) => Some(request.taken()),
            State::Queued(waiting) => table::awaited(waiting.place),
            State::Done => None,
        }
    }

    /// What is to be taken, while it doesn't yet wait for it.
    const fn request_mut(&mut self) -> Option<&mut Request> {
        match &mut self.state {
            State::New(request) => Some(request),
            State::Queued(_) | State::Done => None,
        }
    }

    fn try_now(&mut self, owner: Owner) -> Result<Hold, Error> {
        if let Some(hash) = self.try_thin(owner) {
            return Ok(Hold::thin(hash));
        }
        match &self.state {
            State::New(request) => request.try_now(owner),
            State::Queued(_) | State::Done => unreachable!("who tries hasn't waited"),
        }
    }

    fn try_thin(&mut self, owner: Owner) -> Option<u64> {
        let State::New(request) = &self.state else {
            return None;
        };
        let hash = request.try_thin(owner)?;
        self.state = State::Done;
        Some(hash)
    }

    #[track_caller]
    fn step(&mut self, owner: Owner, can_fail: bool, waker: impl Fn() -> Waker) -> Poll<Hold> {
        if let Some(hash) = self.try_thin(owner) {
            return Poll::Ready(Hold::thin(hash));
        }
        let step = match &mut self.state {
            State::New(request) => {
                let Request { terms, site, .. } = *request;
                let record = Record { owner, site };
                match table::try_take(request.name(), terms, record) {
                    Some(hold) => Ok(hold),
                    None => table::take_or_queue(request.name(), terms, record, waker()),
                }
            }
            State::Queued(waiting) => {
                let Some(hold) = table::retry(waiting.place, owner, waker()) else {
                    waiting.go_on(owner);
                    return Poll::Pending;
                };
                Ok(hold)
            }
            State::Done => panic!("a future was polled after it gave its guard"),
        };
        match step {
            Ok(hold) => {
                self.state = State::Done;
                Poll::Ready(hold)
            }
            Err(place) => {
                self.state = State::Queued(Waiting::enter(owner, place, can_fail));
                Poll::Pending
            }
        }
    }
}

impl Drop for One {
    #[inline]
    fn drop(&mut self) {
        if let State::Queued(waiting) = &self.state {
            table::leave(waiting.place);
        }
    }
}

impl All {
    #[track_caller]
    fn step(&mut self, owner: Owner, can_fail: bool, waker: impl Fn() -> Waker) -> Poll<Held> {
        assert!(!self.is_done, "a future was polled after it gave its guard");
        while let Some(current) = &mut self.current {
            let hold = ready!(current.step(owner, can_fail, &waker));
            self.held.push(hold);
            self.current = self.rest.next().map(One::new);
        }
        self.is_done = true;
        Poll::Ready(self.take())
    }

    fn try_now(&mut self, owner: Owner) -> Result<Held, Error> {
        while let Some(mut current) = self.current.take() {
            self.held.push(current.try_now(owner)?);
            self.current = self.rest.next().map(One::new);
        }
        Ok(self.take())
    }

    fn take(&mut self) -> Held {
        Held::all(mem::take(&mut self.held))
    }
}

impl Drop for All {
    fn drop(&mut self) {
        drop(self.current.take());
        drop(self.take());
    }
}

/// The wait of a task for a lock, or for several; gives an [`AsyncGuard`].
///
/// # Cancel safety
///
/// Dropping it leaves the queue; a lock that was just being handed over to it
/// goes to the next waiter.
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// async fn connect(uuid: &str) {
///     let _guard = CELLS.key(uuid).lock_async().await;
///     // No other task or thread is in here for this cell.
/// }
/// ```
#[must_use = "a future takes no lock until it is awaited"]
pub struct LockFuture(pub(super) Acquire);

impl Future for LockFuture {
    type Output = AsyncGuard;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<AsyncGuard> {
        let waker = context.waker();
        if let Acquire::One(one) = &mut self.0 {
            if let Some(hash) = one.try_thin(Owner::task(waker)) {
                return Poll::Ready(AsyncGuard::thin(hash));
            }
        }
        self.0
            .step(Owner::task(waker), false, || waker.clone())
            .map(AsyncGuard::new)
    }
}

/// The wait of a task, with a timeout; gives an [`AsyncGuard`] or an [`Error`].
///
/// # Cancel safety
///
/// As that of [`LockFuture`].
///
/// # Examples
///
/// ```
/// use lockutils::{Error, Locks};
/// use std::time::Duration;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// async fn connect(uuid: &str) -> Result<(), Error> {
///     let _guard = CELLS.key(uuid).lock_timeout_async(Duration::from_secs(5)).await?;
///     Ok(())
/// }
/// ```
#[must_use = "a future takes no lock until it is awaited"]
pub struct LockTimeoutFuture {
    /// `None` when the time is over: who keeps the future keeps no place in the queue.
    acquire: Option<Acquire>,
    timeout: Duration,
    /// From when the lock was found busy.
    timer: Option<AsyncTimer>,
}

impl LockTimeoutFuture {
    pub(super) const fn new(acquire: Acquire, timeout: Duration) -> Self {
        Self {
            acquire: Some(acquire),
            timeout,
            timer: None,
        }
    }
}

impl Future for LockTimeoutFuture {
    type Output = Result<AsyncGuard, Error>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            acquire: place,
            timeout,
            timer,
        } = &mut *self;
        let waker = context.waker();
        let acquire = place
            .as_mut()
            .expect("a future was polled after it gave its error");
        if let Poll::Ready(held) = acquire.step(Owner::task(waker), false, || waker.clone()) {
            return Poll::Ready(Ok(AsyncGuard::new(held)));
        }
        // Looked at after the step: the lock may have been given as time ran out.
        let timer = timer.get_or_insert_with(|| AsyncTimer::start(*timeout));
        let waited = ready!(timer.poll_over(context));
        match acquire.timed_out(waited) {
            Some(error) => {
                *place = None;
                Poll::Ready(Err(error))
            }
            None => Poll::Pending,
        }
    }
}

impl fmt::Debug for LockFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "LockFuture", &self.0.taken())
    }
}

impl fmt::Debug for LockTimeoutFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.acquire.as_ref().map(Acquire::taken);
        describe(f, "LockTimeoutFuture", &taken.unwrap_or_default())
    }
}

// A future that a panic has stopped half-way still leaves the queue when it is dropped.
impl UnwindSafe for LockFuture {}
impl RefUnwindSafe for LockFuture {}
impl UnwindSafe for LockTimeoutFuture {}
impl RefUnwindSafe for LockTimeoutFuture {}

/// Blocks a thread until its waker is called.
///
/// Not [`std::thread::park`], whose token the user's own code may be waiting for.
#[derive(Debug)]
pub(crate) struct Signal(Arc<Called>);

#[derive(Debug, Default)]
struct Called {
    called: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    /// Returns once for each call of the waker, or for several at once; or when the
    /// deadline has come.
    pub(crate) fn wait(&self, deadline: Option<Instant>) {
        let Called { called, changed } = &*self.0;
        let mut called = called.lock();
        while !mem::take(&mut *called) {
            match deadline {
                None => changed.wait(&mut called),
                Some(deadline) if changed.wait_until(&mut called, deadline).timed_out() => return,
                Some(_) => {}
            }
        }
    }
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        *self.called.lock() = true;
        self.changed.notify_one();
    }
}
