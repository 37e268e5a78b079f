//! A lock being taken, or several, and how a thread waits for them.
//!
//! Several are taken one after the other, in an order that is the same for all callers. While
//! one of them is waited for, those before it are held.

use crate::drive::{AsyncGuardOf, By, Failure as _, GuardOf, Machine, Patience, block_try};
use crate::error::Error;
use crate::guard::{AsyncGuard, Guard};
use crate::held::{AllHeld, Held, Holding as _};
use crate::name::{Taken, describe};
use crate::owner::{Owner, Task};
use crate::proof::Proof;
use crate::signal::Signal;
use crate::sync::Instant;
use crate::table::policy::Reentry;
use crate::timer::{Left, Timer};
use std::fmt;
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
#[cfg(test)]
use std::task::Waker;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

/// A lock, or several, being taken. Dropping it half-way leaves the queue, and releases those
/// that it has.
///
/// It borrows nothing. A thread drives it by the methods here; a task awaits it.
pub struct Acquire<M: Machine>(Locks<M>);

enum Locks<M: Machine> {
    One(M),
    All(Box<All<M>>),
    /// There is no such lock; or, with `None`, its future is over.
    Failed(Option<M::Failure>),
}

/// Several locks, in the order of the list.
struct All<M: Machine> {
    held: Vec<M::Hold>,
    /// `None` when all are held.
    current: Option<M>,
    rest: vec::IntoIter<M>,
    is_done: bool,
}

/// What a guard is made of.
pub(crate) struct Won<M: Machine> {
    held: Held,
    proof: <M::Proof as Proof>::All,
}

impl<M: Machine> Won<M> {
    fn alone(hold: M::Hold) -> Self {
        Self {
            proof: M::proof(&hold).alone(),
            held: hold.into(),
        }
    }

    fn all(holds: AllHeld<M::Hold>) -> Self {
        let proof = M::Proof::join(holds.0.iter().map(M::proof).collect());
        let held = Held::more(Box::new(holds));
        Self { held, proof }
    }

    fn guard(self) -> GuardOf<M> {
        M::Proof::guard(self.proof, Guard::new(self.held))
    }

    fn async_guard(self) -> AsyncGuardOf<M> {
        M::Proof::async_guard(self.proof, AsyncGuard::new(self.held))
    }
}

impl<M: Machine> Acquire<M> {
    #[inline]
    pub(crate) const fn one(machine: M) -> Self {
        Self(Locks::One(machine))
    }

    /// In the order of the list, which is to have each lock once.
    pub(crate) fn all(machines: Vec<M>) -> Self {
        let held = Vec::with_capacity(machines.len());
        let mut rest = machines.into_iter();
        let current = rest.next();
        Self(Locks::All(Box::new(All {
            held,
            current,
            rest,
            is_done: false,
        })))
    }

    pub(crate) const fn failed(failure: M::Failure) -> Self {
        Self(Locks::Failed(Some(failure)))
    }

    /// Gives a task what its wait has come to. Who keeps a future that has failed keeps no place
    /// in the queue, and none of the locks.
    #[inline]
    pub(crate) fn settle<F>(&mut self, result: Result<Won<M>, F>) -> Result<AsyncGuardOf<M>, F> {
        if result.is_err() {
            self.0 = Locks::Failed(None);
        }
        result.map(Won::async_guard)
    }

    /// As [`Machine::take_quickly`].
    #[inline]
    pub(crate) fn take_quickly(&mut self, task: Task) -> Option<M::AsyncQuick> {
        let Locks::One(one) = &mut self.0 else {
            return None;
        };
        let quick = one.take_quickly(task)?;
        // A machine that is done has nothing to drop, and to find that out takes its time.
        mem::forget(mem::replace(&mut self.0, Locks::Failed(None)));
        Some(quick)
    }

    /// A step: takes what there is to take, or sees to it that the waker is called when the
    /// next step is due.
    #[track_caller]
    pub(crate) fn step(&mut self, by: &By<'_>) -> Poll<Result<Won<M>, M::Failure>> {
        match &mut self.0 {
            Locks::One(one) => one.step(by, &[]).map_ok(held_alone::<M>),
            Locks::All(all) => all.step(by, M::step),
            Locks::Failed(failure) => Poll::Ready(Err(taken_once(failure))),
        }
    }

    /// A step of a thread that there isn't, and that blocks: tests take its steps when they want to.
    #[cfg(test)]
    pub(crate) fn step_by_hand(&mut self) -> Poll<Result<Won<M>, M::Failure>> {
        self.step(&By {
            // No thread has such a number.
            owner: Owner::of_word(1 << 32),
            patience: Patience::Thread,
            left: None,
            is_ordered: true,
            waker: &|| Waker::noop().clone(),
        })
    }

    /// A step of who waits for nobody.
    #[track_caller]
    pub(crate) fn try_step(&mut self, by: &By<'_>) -> Poll<Result<Won<M>, Error>> {
        match &mut self.0 {
            Locks::One(one) => one.try_step(by, &[]).map_ok(held_alone::<M>),
            Locks::All(all) => all.step(by, M::try_step),
            Locks::Failed(failure) => Poll::Ready(Err(taken_once(failure).into())),
        }
    }

    /// Tries a last time and gives up; is pending if the lock was handed over meanwhile.
    #[track_caller]
    pub(crate) fn give_up(&mut self, by: &By<'_>, waited: Duration) -> Poll<Result<Won<M>, Error>> {
        match self.step(&by.with(Patience::Last)) {
            Poll::Ready(result) => Poll::Ready(result.map_err(M::Failure::into)),
            Poll::Pending => match self.timed_out(waited) {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending,
            },
        }
    }

    /// Leaves the queue; gives no error if the lock was handed over meanwhile.
    pub(crate) fn timed_out(&mut self, waited: Duration) -> Option<Error> {
        self.waiting().timed_out(waited)
    }

    /// The lock that is waited for.
    fn waiting(&mut self) -> &mut M {
        match &mut self.0 {
            Locks::One(one) => one,
            Locks::All(all) => all.current.as_mut().expect("some lock is busy"),
            Locks::Failed(_) => unreachable!("who has failed doesn't wait"),
        }
    }

    /// When a thread is to go on, see [`Machine::wakes_at`].
    fn wakes_at(&mut self) -> Option<Instant> {
        self.waiting().wakes_at()
    }

    /// Says whether the thread goes straight in where it holds a lock already. For who blocks;
    /// before the first step.
    pub(crate) fn set_reentry(&mut self, reentry: Reentry) {
        match &mut self.0 {
            Locks::One(one) => one.set_reentry(reentry),
            Locks::All(all) => {
                let machines = all.current.iter_mut().chain(all.rest.as_mut_slice());
                machines.for_each(|machine| machine.set_reentry(reentry));
            }
            Locks::Failed(_) => {}
        }
    }

    pub(crate) fn with(mut self, reentry: Reentry) -> Self {
        self.set_reentry(reentry);
        self
    }

    /// The locks, those that are held first, for people.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        match &self.0 {
            Locks::One(one) => Vec::from_iter(one.taken()),
            Locks::All(all) => all.taken(),
            Locks::Failed(_) => Vec::new(),
        }
    }

    /// Blocks the thread until it has the lock.
    ///
    /// # Errors
    ///
    /// None, if [`Machine::Failure`] is [`Infallible`](std::convert::Infallible); else why the
    /// engine could not take the lock.
    ///
    /// # Panics
    ///
    /// If waiting would never end, and can't fail.
    #[cold]
    #[track_caller]
    pub fn block(mut self) -> Result<GuardOf<M>, M::Failure> {
        if let Locks::One(one) = &mut self.0 {
            if let Some(hold) = one.take_soon() {
                return Ok(Won::<M>::alone(hold).guard());
            }
        }
        self.block_in_queue()
    }

    /// The same, after a try to [take one soon](Machine::take_soon), if it is one.
    #[track_caller]
    pub(crate) fn block_in_queue(mut self) -> Result<GuardOf<M>, M::Failure> {
        let signal = Signal::default();
        let waker = || signal.waker();
        let by = By {
            owner: Owner::thread(),
            patience: Patience::Thread,
            left: None,
            is_ordered: matches!(self.0, Locks::One(_)),
            waker: &waker,
        };
        loop {
            if let Poll::Ready(result) = self.step(&by) {
                return result.map(Won::guard);
            }
            if let Some(error) = self.waiting().deadlock() {
                drop(self);
                return Err(M::Failure::of_deadlock(error));
            }
            signal.wait(self.wakes_at());
        }
    }

    /// Blocks the thread until it has the lock, or the time is over, of which zero is one try.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout),
    /// [`ErrorKind::Deadlock`](crate::ErrorKind::Deadlock), or as [`Acquire::block`].
    #[cold]
    pub fn block_for(mut self, timeout: Duration) -> Result<GuardOf<M>, Error> {
        if M::IS_ASKED_FOR && timeout.is_zero() {
            return self.try_now().map_err(Error::in_no_time);
        }
        let signal = Signal::default();
        let waker = || signal.waker();
        let mut by = By {
            owner: Owner::thread(),
            patience: Patience::Timed,
            left: Left::of(timeout, None),
            is_ordered: false,
            waker: &waker,
        };
        let mut timer = None;
        loop {
            if let Poll::Ready(result) = self.step(&by) {
                return result.map(Won::guard).map_err(M::Failure::into);
            }
            // Looked at after the step: the lock may have been given as time ran out.
            let timer = timer.get_or_insert_with(|| Timer::start(timeout));
            if timer.is_over() {
                if let Poll::Ready(result) = self.give_up(&by, timer.start.elapsed()) {
                    return result.map(Won::guard);
                }
            }
            // After the time: who doesn't wait is in no deadlock.
            if let Some(error) = self.waiting().deadlock() {
                return Err(error);
            }
            // Of several locks another one may be waited for next.
            by.left = Left::of(timeout, Some(timer));
            let next = timer.next(self.wakes_at());
            signal.wait(next);
        }
    }

    /// Takes the lock for a thread if that needs no waiting for others.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if somebody holds the lock, or as
    /// [`Acquire::block`].
    #[track_caller]
    pub fn try_now(mut self) -> Result<GuardOf<M>, Error> {
        block_try(|by| self.try_step(by)).map(Won::guard)
    }
}

/// Of who holds no other lock that it could be one of.
fn held_alone<M: Machine>(hold: Option<M::Hold>) -> Won<M> {
    Won::alone(hold.expect("there is nothing that it could be held with"))
}

#[track_caller]
fn taken_once<F>(failure: &mut Option<F>) -> F {
    failure
        .take()
        .expect("a future was polled after it was ready")
}

impl<M: Machine> All<M> {
    /// Takes a step of each machine in turn, which is one of its two kinds.
    #[inline]
    #[track_caller]
    fn step<F>(
        &mut self,
        by: &By<'_>,
        step: impl Fn(&mut M, &By<'_>, &[M::Hold]) -> Poll<Result<Option<M::Hold>, F>>,
    ) -> Poll<Result<Won<M>, F>> {
        assert!(!self.is_done, "a future was polled after it was ready");
        while let Some(current) = &mut self.current {
            match ready!(step(current, by, &self.held)) {
                Ok(hold) => self.held.extend(hold),
                Err(failure) => {
                    self.is_done = true;
                    return Poll::Ready(Err(failure));
                }
            }
            self.current = self.rest.next();
        }
        self.is_done = true;
        Poll::Ready(Ok(Won::all(self.take())))
    }

    fn take(&mut self) -> AllHeld<M::Hold> {
        AllHeld(mem::take(&mut self.held))
    }

    fn taken(&self) -> Vec<Taken> {
        let mut taken = Vec::new();
        for held in &self.held {
            taken.append(&mut held.taken());
        }
        taken.extend(self.current.as_ref().and_then(M::taken));
        taken.extend(self.rest.as_slice().iter().filter_map(M::taken));
        taken
    }
}

impl<M: Machine> Drop for All<M> {
    fn drop(&mut self) {
        drop(self.current.take());
        drop(self.take());
    }
}

/// The wait of a task.
impl<M: Machine> Future for Acquire<M> {
    type Output = Result<AsyncGuardOf<M>, M::Failure>;

    #[inline]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = context.waker();
        let owner = Owner::task(waker);
        if let Some(quick) = self.take_quickly(Task(owner)) {
            return Poll::Ready(Ok(quick.into()));
        }
        let by = By {
            owner,
            patience: Patience::Task,
            left: None,
            is_ordered: false,
            waker: &|| waker.clone(),
        };
        let result = ready!(self.step(&by));
        Poll::Ready(self.settle(result))
    }
}

// One that a panic has stopped half-way still leaves the queue when it is dropped.
impl<M: Machine> UnwindSafe for Acquire<M> {}
impl<M: Machine> RefUnwindSafe for Acquire<M> {}

impl<M: Machine> fmt::Debug for Acquire<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        describe(f, "Acquire", &self.taken())
    }
}
