//! Taking one in-process lock.
//!
//! ```text
//! New --free--> Done          New --busy--> Queued --free or handed over--> Done
//!                                             |  ^
//!                                             woken and overtaken
//! ```
//!
//! A waiter keeps its place in the queue until it has the lock, also when it was woken and a
//! newcomer was faster. Who is dropped in `Queued` leaves the queue, and passes on a lock or a
//! wake-up that was on its way to it.

use super::request::{Request, refused};
use super::thin::Thin;
use crate::costs;
use crate::drive::{By, GIVEN, Machine, Patience, Sharable};
use crate::error::{Error, ErrorKind};
use crate::graph::{self, Waiting};
use crate::guard::{AsyncGuard, Guard};
use crate::name::{Taken, describe};
use crate::observe::listen::listeners;
use crate::observe::outcome::Outcome;
use crate::order;
use crate::owner::{Owner, Task};
use crate::site::{Record, Site};
use crate::sync::{self, Instant};
use crate::table::entry::OVERTAKE;
use crate::table::fast;
use crate::table::identity::name_part;
use crate::table::policy::{Mode, Reentry, Terms};
use crate::table::{self, Hold, Name, Newcomer, Retry};
use std::convert::Infallible;
use std::fmt;
use std::task::Poll;
use std::time::Duration;

/// How often a thread looks again before it joins the queue, or goes back there. In a model it does so at
/// once, or it would rarely come to that.
pub(super) const SPINS: u32 = if cfg!(all(test, loom)) { 0 } else { 10 };

/// The same where the holder makes system calls: each pause but the first ones is one, too.
pub(super) const MORE_SPINS: u32 = 4 * SPINS;

/// One in-process lock being taken, see [`Machine`].
pub struct InProcess(State);

enum State {
    New(Request),
    Queued(Waiting),
    Done,
}

impl InProcess {
    #[inline]
    pub(super) const fn new(request: Request) -> Self {
        Self(State::New(request))
    }

    /// The fast path, see [`table::fast::try_take_thin`].
    #[inline]
    fn try_thin(&mut self, owner: Owner) -> Option<u64> {
        let State::New(request) = &self.0 else {
            return None;
        };
        let hash = request.try_thin(owner)?;
        self.0 = State::Done;
        Some(hash)
    }

    /// A step. Whether the call can fail counts for threads, see [`graph`](crate::graph).
    #[inline]
    #[track_caller]
    pub(crate) fn poll(&mut self, by: &By<'_>, can_fail: bool) -> Poll<Hold> {
        let &By {
            owner,
            patience,
            left,
            is_ordered,
            waker,
        } = by;
        if let Some(hash) = self.try_thin(owner) {
            return Poll::Ready(Hold::thin(hash));
        }
        let step = match &mut self.0 {
            State::New(request) => {
                let Request { terms, site, .. } = *request;
                let (name, record) = (request.name(), Record { owner, site });
                if !is_ordered {
                    order::before_take(name, record);
                }
                let taken = match table::try_take(name, terms, record) {
                    Some(newcomer) => Ok(newcomer),
                    None => table::take_or_queue(name, terms, record, waker(), left),
                };
                taken.map(|newcomer| hold_of(owner, newcomer))
            }
            // Since the last step nobody has called.
            State::Queued(_) if patience == Patience::Last => return Poll::Pending,
            State::Queued(waiting) => {
                if owner.is_thread() {
                    wait_for_overtaker(waiting.place.entry.hash);
                }
                let Retry { taken, overtakers } =
                    table::retry(waiting.place, owner, waiting.heard, waker());
                match &taken {
                    Some((_, at)) => waiting.acquire(owner, *at),
                    None => waiting.go_on(owner, waker),
                }
                overtakers.into_iter().for_each(graph::overtakes);
                let Some((hold, _)) = taken else {
                    return Poll::Pending;
                };
                Ok(hold)
            }
            State::Done => panic!("{GIVEN}"),
        };
        match step {
            Ok(hold) => {
                self.0 = State::Done;
                Poll::Ready(hold)
            }
            Err(queued) => {
                self.0 = State::Queued(Waiting::begin(owner, queued, can_fail, waker));
                Poll::Pending
            }
        }
    }

    /// Takes the lock if it has room.
    #[track_caller]
    pub(crate) fn try_now(&mut self, owner: Owner) -> Result<Hold, Error> {
        if let Some(hash) = self.try_thin(owner) {
            return Ok(Hold::thin(hash));
        }
        let State::New(request) = &self.0 else {
            panic!("{GIVEN}");
        };
        let hold = hold_of(owner, request.try_now(owner)?);
        self.0 = State::Done;
        Ok(hold)
    }

    /// The registration of who is in the queue.
    fn waiting(&mut self) -> &mut Waiting {
        match &mut self.0 {
            State::Queued(waiting) => waiting,
            State::New(_) | State::Done => unreachable!("only who is in the queue waits"),
        }
    }
}

impl Machine for InProcess {
    type Hold = Hold;
    type Failure = Infallible;
    type Proof = ();
    type Quick = Thin<Guard>;
    type AsyncQuick = Thin<AsyncGuard>;

    #[inline]
    #[track_caller]
    fn step(&mut self, by: &By<'_>, _held: &[Hold]) -> Poll<Result<Option<Hold>, Infallible>> {
        // A thread that waits for as long as it takes can't fail. Of tasks nobody asks.
        let can_fail = by.patience == Patience::Timed;
        self.poll(by, can_fail).map(|hold| Ok(Some(hold)))
    }

    #[track_caller]
    fn try_step(&mut self, by: &By<'_>, _held: &[Hold]) -> Poll<Result<Option<Hold>, Error>> {
        Poll::Ready(self.try_now(by.owner).map(Some))
    }

    #[inline]
    fn take_quickly(&mut self, Task(task): Task) -> Option<Thin<AsyncGuard>> {
        self.try_thin(task).map(Thin::new)
    }

    #[track_caller]
    fn take_soon(&mut self) -> Option<Hold> {
        let State::New(request) = &self.0 else {
            return None;
        };
        let hold = take_or_spin(request.name(), request.terms, request.site, SPINS)?;
        self.0 = State::Done;
        Some(hold)
    }

    #[inline]
    fn proof(_hold: &Hold) {}

    fn set_reentry(&mut self, reentry: Reentry) {
        if let State::New(request) = &mut self.0 {
            request.terms.reentry = reentry;
        }
    }

    /// When the thread is to look again at what it waits for.
    fn wakes_at(&mut self) -> Option<Instant> {
        self.waiting().look()
    }

    fn deadlock(&mut self) -> Option<Error> {
        let waiting = self.waiting();
        let deadlock = waiting.take_deadlock()?;
        let error = refused(waiting.place, ErrorKind::Deadlock)?;
        waiting.outcome = Outcome::Deadlock;
        Some(error.with_deadlock(Some(deadlock)))
    }

    fn timed_out(&mut self, waited: Duration) -> Option<Error> {
        let waiting = self.waiting();
        let error = refused(waiting.place, ErrorKind::Timeout)?;
        waiting.outcome = Outcome::TimedOut;
        let suspicion = waiting.suspicion(waited);
        Some(error.with_waited(waited).with_deadlock(suspicion))
    }

    fn taken(&self) -> Option<Taken> {
        match &self.0 {
            State::New(request) => Some(request.taken()),
            State::Queued(waiting) => table::awaited(waiting.place),
            State::Done => None,
        }
    }
}

impl Sharable for InProcess {}

impl Drop for InProcess {
    #[inline]
    fn drop(&mut self) {
        if let State::Queued(waiting) = &mut self.0 {
            waiting.leave();
        }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "InProcess", &Vec::from_iter(self.taken()))
    }
}

/// The hold of who didn't wait.
fn hold_of(owner: Owner, newcomer: Newcomer) -> Hold {
    let Newcomer { hold, overtakes } = newcomer;
    // A thread that runs waits nowhere else.
    if overtakes && !owner.is_thread() {
        graph::overtakes(owner);
    }
    hold
}

/// What a thread does before it joins the queue: it takes the lock if that has room, and else
/// tries the fast path again for about as long as it takes to block and be woken.
///
/// Where the holder is soon done the lock stays on the fast path so, and of those who wait nobody is
/// overtaken but a thread that was called and is on its way: else the fast path is closed as long as there is
/// somebody in the queue.
///
/// Only the holder of this very lock is worth a pause. A lock that the fast path has no place
/// for, as one with several permits or beside another key in the bucket, is taken at once.
#[track_caller]
pub(super) fn take_or_spin(name: Name<'_>, terms: Terms, site: Site, spins: u32) -> Option<Hold> {
    let owner = Owner::thread();
    let record = Record { owner, site };
    let Terms { mode, reentry } = terms;
    let is_alone = name.has_one_permit() && mode == Mode::Exclusive;
    // Not of a lock that many share: there to look at the bucket once more is to wait for it once more.
    if is_alone {
        table::look_ahead(name);
    }
    order::before_take(name, record);
    // Who spins has no place in line, and a re-entry finds its own lock in the way.
    let may_spin = is_alone && !(name.space.policy.fair || reentry == Reentry::Allowed);
    if may_spin {
        if let Some(hold) = try_thin_again(name, record) {
            return Some(hold);
        }
    }
    if !(may_spin && fast::is_held_thin(name.hash)) {
        if let Some(newcomer) = table::try_take(name, terms, record) {
            return Some(newcomer.hold);
        }
    }
    if !may_spin {
        return None;
    }
    let hold = look_briefly(spins, || try_thin_again(name, record))?;
    if !listeners().is_none() {
        costs::spun(name_part(name.space.number));
    }
    Some(hold)
}

/// What a thread does that was called, before it tries again: it gives whoever has overtaken it by the bucket alone the time
/// to be done. If it came in the middle, the fast path would be closed until it is called once more.
fn wait_for_overtaker(hash: u64) {
    let is_there = || fast::is_held_thin(hash);
    if is_there() {
        look_briefly(SPINS, || (!is_there()).then_some(()));
    }
}

/// Looks again and again, for about as long as it takes to block and be woken.
fn look_briefly<R>(spins: u32, look: impl Fn() -> Option<R>) -> Option<R> {
    let start = Instant::now();
    for round in 0..spins {
        sync::pause(round);
        let seen = look();
        // On a busy machine a pause can take longer than anybody is to be overtaken.
        if seen.is_some() || start.elapsed() >= OVERTAKE {
            return seen;
        }
    }
    None
}

/// Takes the lock by its bucket alone, if that has become free.
fn try_thin_again(name: Name<'_>, record: Record) -> Option<Hold> {
    if !fast::looks_free(name) {
        return None;
    }
    fast::try_take_thin_as(name, Mode::Exclusive, record).map(Hold::thin)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::Locks;
    use crate::order::TAKES;
    use crate::site::Site;
    use crate::snapshot::snapshot;
    use crate::space::Space as _;
    use crate::table::policy::Mode;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    static LOCKS: Locks = Locks::new("order of who waits");

    /// How often the order of locks was looked at by a thread that has waited for a lock.
    fn looks<T>(take: impl FnOnce() -> T + Send) -> u32 {
        let held = LOCKS.key("a").lock();
        thread::scope(|scope| {
            let (say, looks) = mpsc::channel();
            scope.spawn(move || {
                let taken = take();
                say.send(TAKES.get()).unwrap();
                drop(taken);
            });
            let waits = || {
                let mut all = snapshot().into_iter();
                all.any(|lock| lock.space == LOCKS.name() && lock.waiters > 0)
            };
            while !waits() {
                thread::yield_now();
            }
            drop(held);
            looks.recv().unwrap()
        })
    }

    #[test]
    fn order_is_looked_at_once_by_who_waits() {
        const MINUTE: Duration = Duration::from_secs(60);
        assert_eq!(looks(|| LOCKS.key("a").lock()), 1);
        assert_eq!(looks(|| LOCKS.key("a").shared().lock()), 1);
        assert_eq!(looks(|| LOCKS.key("a").reentrant().lock()), 1);
        assert_eq!(looks(|| LOCKS.key("a").lock_timeout(MINUTE).unwrap()), 1);
        let begin = || LOCKS.begin(&"a", Mode::Exclusive, Site::here());
        assert_eq!(looks(|| begin().block()), 1);
    }
}
