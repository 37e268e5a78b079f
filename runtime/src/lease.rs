//! A hold that can be lost: what an engine and the guards of the hold have in common.
//!
//! ```text
//! held --lose, or the clock--> lost
//!   |
//!   +---release_begins--> releasing --released--> released
//! ```
//!
//! Neither of the two is left again, so what a guard has once said of a loss stays so, whatever
//! the server may say afterwards; and a release that came first is told of no loss.

use crate::fence::Fence;
use crate::foreign;
use crate::holder::Holder;
use crate::name::Taken;
use crate::observe::event::Loss;
use crate::observe::listen::listeners;
use crate::observe::tell;
use crate::owner::Owner;
use crate::refusal::Refusal;
use crate::site::Record;
use crate::table::identity::number_of;
use parking_lot::Mutex;
use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// A hold that can be lost: what an engine gives along with it, see
/// [`Engine::proof`](crate::engine::Engine::proof), for its guards to look at.
///
/// Clones are the same lease. The engine tells it what becomes of the hold: [`Lease::lose`],
/// [`Lease::release_begins`], [`Lease::released`].
///
/// # Examples
///
/// See [how an engine is written whose locks can be lost](crate::engine#locks-that-can-be-lost).
#[derive(Clone)]
pub struct Lease(Arc<Shared>);

struct Shared {
    fence: Fence,
    valid_for: Box<dyn Fn() -> Duration + Send + Sync>,
    inner: Mutex<Inner>,
}

struct Inner {
    state: State,
    /// The lock, and who had it first.
    of: Option<(Taken, Owner)>,
    /// Whether it was told that it is lost.
    is_told: bool,
    /// Whom to wake when the state changes, each with its number.
    wakers: Vec<(u64, Waker)>,
}

#[derive(Clone)]
enum State {
    Held,
    Lost(Refusal, Cow<'static, str>),
    Releasing,
    Released(Result<(), Refusal>),
}

impl Lease {
    /// A lease of a hold that was just granted.
    ///
    /// `fence` is its fencing token. `valid_for` says how long it would last if it were not renewed
    /// any more, and zero when it is over. It looks at the clock itself, so that a process that was
    /// stopped sees at once what it missed, is cheap, and takes no lock that is held where this
    /// lease is called.
    #[must_use]
    pub fn new(fence: u64, valid_for: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            fence: Fence(fence),
            valid_for: Box::new(valid_for),
            inner: Mutex::new(Inner {
                state: State::Held,
                of: None,
                is_told: false,
                wakers: Vec::new(),
            }),
        }))
    }

    /// The fencing token.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.0.fence
    }

    /// How long the hold lasts if it is not renewed any more; zero if it is lost or released.
    #[must_use]
    pub fn valid_for(&self) -> Duration {
        match self.look() {
            State::Held => (self.0.valid_for)(),
            State::Lost(..) | State::Releasing | State::Released(_) => Duration::ZERO,
        }
    }

    /// Whether it is lost, which is looked up in the clock too. What is lost is so for ever: an
    /// engine that is about to renew a lease looks here first.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.check().is_err()
    }

    /// The hold is lost, unless it is being released. To be called when the server says so, or its
    /// clock does: at the latest when the lease ends, so that those are woken who wait for it.
    ///
    /// `reason` is told in the error, see [`Refusal::lost`].
    pub fn lose(&self, reason: impl Into<Cow<'static, str>>) {
        self.go_on(|state| match state {
            State::Held => {
                let reason = reason.into();
                Some(State::Lost(Refusal::lost(reason.clone()), reason))
            }
            State::Lost(..) | State::Releasing | State::Released(_) => None,
        });
        self.tell_of_loss();
    }

    /// Says which lock it is of, for those who are told of its loss.
    pub(crate) fn set_lock(&self, lock: Taken, owner: Owner) {
        self.0.inner.lock().of.get_or_insert((lock, owner));
        self.tell_of_loss();
    }

    /// Tells once that it is lost, as soon as it is known what that is.
    fn tell_of_loss(&self) {
        // Nobody does within an observer, which may be what finds it out: then it is told the next time.
        if listeners().is_none() {
            return;
        }
        let mut inner = self.0.inner.lock();
        let (State::Lost(_, reason), Some((lock, owner)), false) =
            (&inner.state, &inner.of, inner.is_told)
        else {
            return;
        };
        let (lock, owner, reason) = (lock.clone(), *owner, reason.clone());
        inner.is_told = true;
        drop(inner); // Observers are foreign code.
        let Taken { space, key, site } = lock;
        let loss = Loss {
            space,
            key: &key,
            who: &Holder::from(Record { owner, site }),
            fence: self.fence(),
            reason: &reason,
        };
        tell::lost(&loss, number_of(space));
    }

    /// The hold is being released: to be called where it is dropped, before the server is told. It
    /// can't be lost any more.
    pub fn release_begins(&self) {
        let _lost = self.is_lost();
        self.go_on(|state| match state {
            State::Held => Some(State::Releasing),
            State::Lost(..) | State::Releasing | State::Released(_) => None,
        });
    }

    /// The server has answered to the release, or never will.
    ///
    /// Whoever waits for it is told so: [`Refusal::lost`] if the server says that the hold had been
    /// lost before, [`Refusal::unavailable`] if there is no answer.
    pub fn released(&self, result: Result<(), Refusal>) {
        self.go_on(|state| match state {
            State::Held | State::Releasing => Some(State::Released(result)),
            State::Lost(..) | State::Released(_) => None,
        });
    }

    /// # Errors
    ///
    /// If it is lost.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        match self.look() {
            State::Lost(refusal, _) => Err(refusal),
            State::Held | State::Releasing | State::Released(_) => Ok(()),
        }
    }

    /// Ready when it is lost.
    pub(crate) fn poll_lost(&self, number: u64, waker: &Waker) -> Poll<()> {
        match self.look_or_wait(number, waker, &|state| !matches!(state, State::Lost(..))) {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        }
    }

    /// Ready when the release is over, and at once where it hasn't begun, since others have the
    /// hold too.
    pub(crate) fn poll_released(&self, number: u64, waker: &Waker) -> Poll<Result<(), Refusal>> {
        match self.look_or_wait(number, waker, &|state| matches!(state, State::Releasing)) {
            None | Some(State::Releasing) => Poll::Pending,
            Some(State::Held) => Poll::Ready(Ok(())),
            Some(State::Lost(refusal, _)) => Poll::Ready(Err(refusal)),
            Some(State::Released(result)) => Poll::Ready(result),
        }
    }

    /// The waker of this number is called no more.
    pub(crate) fn forget(&self, number: u64) {
        let mut inner = self.0.inner.lock();
        let place = inner.wakers.iter().position(|(other, _)| *other == number);
        let old = place.map(|place| inner.wakers.swap_remove(place));
        drop(inner); // Before the waker is.
        drop(old);
    }

    /// The state now, by the clock too.
    fn look(&self) -> State {
        let state = self.0.inner.lock().state.clone();
        if !matches!(state, State::Held) || !(self.0.valid_for)().is_zero() {
            return state;
        }
        self.lose("its lease ended, since it was not renewed in time");
        self.0.inner.lock().state.clone()
    }

    /// The state; `None` if it is one to wait in. Then the waker is called when it changes, in
    /// place of the one that was given before with this number.
    fn look_or_wait(
        &self,
        number: u64,
        waker: &Waker,
        waits: &dyn Fn(&State) -> bool,
    ) -> Option<State> {
        let _by_the_clock = self.look();
        let waker = waker.clone();
        let mut inner = self.0.inner.lock();
        if !waits(&inner.state) {
            return Some(inner.state.clone());
        }
        let place = inner.wakers.iter().position(|(other, _)| *other == number);
        let old = place.map(|place| inner.wakers.swap_remove(place));
        inner.wakers.push((number, waker));
        drop(inner); // Before the old waker is.
        drop(old);
        None
    }

    /// Changes the state, unless it stays.
    fn go_on(&self, next: impl FnOnce(&State) -> Option<State>) {
        let mut inner = self.0.inner.lock();
        let Some(next) = next(&inner.state) else {
            return;
        };
        inner.state = next;
        let wakers = mem::take(&mut inner.wakers);
        drop(inner);
        for (_, waker) in wakers {
            foreign::contain(|| waker.wake());
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("fence", &self.fence().get())
            .field("valid_for", &self.valid_for())
            .finish()
    }
}

// A panic of the clock comes when no change is half done.
impl UnwindSafe for Lease {}
impl RefUnwindSafe for Lease {}
