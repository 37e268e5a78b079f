//! What a lock engine is: a lock outside of this process, and how to take and release it.

use super::asking::Begins;
use super::line::Line;
use crate::alarm::Alarm;
use crate::drive::{By, Patience};
use crate::holder::Holder;
use crate::key::Key;
use crate::proof::Proof;
use crate::refusal::Refusal;
use crate::site::Site;
use crate::table::policy::{Mode, Reentry};
use crate::timer::FOREVER;
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::task::Poll;
use std::time::{Duration, Instant};

/// A lock engine: locks that are outside of this process, by name.
///
/// An [`Outside`](crate::engine::Outside) drives it, for a [`Queued`](crate::engine::Queued)
/// space: callers of this process queue in the process first, and one of them at a time, or
/// several who share, come here. So an engine knows nothing of queues, keys, guards, timeouts or
/// errors; it takes a lock, releases it, and knows how to wait.
///
/// All methods are called with no mutex of this crate held. None may block for longer than a
/// system call takes, but [`Engine::poll`] for [`Patience::Thread`].
pub trait Engine: fmt::Debug + Send + Sync + 'static {
    /// What is known of one lock while somebody in this process wants or has it, and its queue
    /// in this process, which is the same one for all places of the lock: such as
    /// [`InUse`](crate::engine::InUse), which [`Places`](crate::engine::Places) gives. Each
    /// holder and waiter has one.
    type Place: AsRef<Line> + fmt::Debug + Send + Sync + 'static;
    /// What somebody who waits keeps from step to step, such as a [`Pause`]. Dropping it gives back
    /// what was granted meanwhile.
    type Wait: Default + Send + 'static;
    /// The lock; dropping it releases.
    type Hold: Send + Sync + 'static;
    /// What a guard tells of its hold: `()`, or a [`Lease`](crate::engine::Lease) if holds can be
    /// lost.
    type Proof: Proof;

    /// Whether those in this process who have a lock together, sharers, or a thread that goes in
    /// again, each ask the engine for a hold of their own. Else they have one between them,
    /// which is dropped when the last of them releases.
    const SEPARATE_HOLDS: bool = false;

    /// Whether a lock goes from one thread of this process to the next within about a microsecond. Then
    /// a thread that finds it taken tries again for some of them, which is less than it takes to
    /// block and be woken.
    const IS_BRIEF: bool = false;

    /// What texts call the space.
    fn name(&self) -> &'static str;

    /// The name of a key's lock.
    ///
    /// # Errors
    ///
    /// If the key has none.
    fn locate(&self, key: &Key) -> Result<Key, Refusal>;

    /// The lock of a name, for somebody in this process who is about to want it.
    ///
    /// # Errors
    ///
    /// If it can't be used.
    fn place(&self, name: &Key) -> Result<Self::Place, Refusal>;

    /// A step of somebody who is first in this process: takes the lock, or sees to it that the
    /// waker is called when the next step is due, see [`Answer`].
    ///
    /// `wait` is [`Default`] at the first step, and is dropped when it is ready.
    ///
    /// # Errors
    ///
    /// If the lock can't be used. Who waits has the error then.
    fn poll(
        &self,
        place: &mut Self::Place,
        wait: &mut Self::Wait,
        ask: &Ask<'_>,
        by: &By<'_>,
    ) -> Poll<Result<Answer<Self::Hold>, Refusal>>;

    /// What a guard of the hold is to tell: the lease, if holds can be lost.
    ///
    /// One that is lost isn't given to others of this process, such as sharers: they get the
    /// error.
    fn proof(hold: &Self::Hold) -> Self::Proof;

    /// Somebody waits in the process, or waits no longer, since it has the lock: for engines that
    /// count those. The one may be said several times, and the other also of who never waited.
    /// That somebody waits outside, [`Engine::poll`] sees itself; who gives up drops the place.
    fn set_waiting(&self, _place: &mut Self::Place, _waits: bool) {}

    /// When a thread that waits for the lock is to take the next step, if nobody wakes it before.
    /// An engine whose threads wait for a [`Pause`] gives its [`end`](Pause::end), or they wait
    /// for ever.
    fn wakes_at(&self, _wait: &Self::Wait) -> Option<Instant> {
        None
    }

    /// Whether somebody else is known to have the lock, where a step is pending. It is not if a server
    /// has not answered yet, say: then nobody is told of a wait. The waker is to be called when it
    /// becomes so.
    fn is_behind(&self, _place: &Self::Place, _wait: &Self::Wait) -> bool {
        true
    }

    /// Why nobody knows yet whether the lock is free, where a step is pending, for the text of who gives up; `None` where
    /// it is known. It ends in a remedy: "its server has not answered; see that it can be reached".
    fn unanswered(&self, _place: &Self::Place, _wait: &Self::Wait) -> Option<Cow<'static, str>> {
        None
    }

    /// Who has the lock, as far as that is known, for texts, see
    /// [`Holder::of_process`].
    fn holder(&self, _place: &Self::Place) -> Option<Holder> {
        None
    }

    /// The same by the lock's name, for who only looks: not to seem to want the lock, if an engine counts
    /// those who do.
    fn holder_of(&self, name: &Key) -> Option<Holder> {
        self.holder(&self.place(name).ok()?)
    }

    /// Whether it is this process that has the lock outside. Then texts say which of its threads
    /// and tasks it is, and else what [`Engine::holder`] says.
    ///
    /// An engine of [`Engine::SEPARATE_HOLDS`] has to know.
    fn is_held_here(&self, place: &Self::Place) -> bool {
        place.as_ref().is_held()
    }

    /// The lock that the name leads to now, after an [`Answer::Moved`].
    ///
    /// # Errors
    ///
    /// As [`Engine::place`].
    fn place_anew(&self, _former: &Self::Place, name: &Key) -> Result<Self::Place, Refusal> {
        self.place(name)
    }

    /// Whether a place is the lock of another one that is held, by another name. Keys of one
    /// call that have one name are one lock in any case.
    ///
    /// # Errors
    ///
    /// If that can't be seen.
    fn is_same(&self, _place: &Self::Place, _held: &Self::Place) -> Result<bool, Refusal> {
        Ok(false)
    }

    /// In which order the locks of one call are taken, which has to be the same for all
    /// callers: that of these keys.
    fn order(&self, name: &Key) -> Key {
        name.clone()
    }

    /// The file that the lock is, for texts.
    fn path(&self, _name: &Key) -> Option<PathBuf> {
        None
    }

    /// The open files by which the lock is held, duplicated, see
    /// [`Guard::files`](crate::Guard::files).
    ///
    /// # Errors
    ///
    /// If the process has no descriptor left.
    fn files(_hold: &Self::Hold) -> io::Result<Vec<File>> {
        Ok(Vec::new())
    }
}

/// How somebody asks for a lock.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ask<'a> {
    /// The key, for people. Others may have the same lock by another one.
    pub key: &'a Key,
    /// Together with other sharers, in whatever process, or alone. An engine that has no shared
    /// locks, see [`Sharable`](crate::engine::Sharable), gives exclusive ones.
    pub mode: Mode,
    /// Whether a thread that has the lock goes straight in. An engine of
    /// [`Engine::SEPARATE_HOLDS`] is asked to let it do so while this process has the lock, and
    /// is to grant it another hold, not to have it wait for itself.
    pub reentry: Reentry,
    /// Where in the code.
    pub site: Site,
    /// Whether it waits for all in this process who share the lock.
    pub(crate) has_turn: bool,
    /// For an engine whose steps block a thread.
    #[cfg_attr(
        not(feature = "file"),
        expect(dead_code, reason = "the engine of lock files is one")
    )]
    pub(crate) begins: Begins<'a>,
}

impl Ask<'_> {
    /// Whether somebody waits where the lock is busy. Who doesn't is told [`Answer::Busy`].
    #[must_use]
    pub fn waits(&self, by: &By<'_>) -> bool {
        let tries = matches!(by.patience, Patience::Try | Patience::Last);
        !tries && (self.mode == Mode::Exclusive || self.has_turn)
    }
}

/// What a step has come to.
#[derive(Debug)]
pub enum Answer<H> {
    /// Whoever asked has the lock.
    Granted(H),
    /// Somebody else has it, and whoever asked doesn't wait, see [`Ask::waits`]. Sharers ask
    /// again when it is their turn to wait: one of them does so for all. An engine that says
    /// it to who waits is wrong, and that panics.
    Busy,
    /// The name leads to another lock by now; nothing was taken.
    Moved,
}

/// A pause between two looks at a lock, for engines that can't be told when it is free.
///
/// The one that [`Default`] gives is over.
///
/// # Examples
///
/// See the [example of an engine](crate::engine#an-engine).
#[derive(Debug, Default)]
pub struct Pause(Option<Alarm>);

impl Pause {
    /// Until a certain moment.
    #[must_use]
    pub fn until(at: Instant) -> Self {
        Self(Some(Alarm::at(at)))
    }

    /// For so long; for ever, if that is over 34,000 years.
    #[must_use]
    pub fn of(time: Duration) -> Self {
        Self(Some(Alarm::after(time.min(FOREVER))))
    }

    /// Whether it is over; else sees to it that the next step is taken then. A thread that waits
    /// for the lock wakes by itself, see [`Engine::wakes_at`].
    pub fn poll(&mut self, by: &By<'_>) -> Poll<()> {
        let Some(alarm) = &mut self.0 else {
            return Poll::Ready(());
        };
        match by.patience {
            Patience::Task | Patience::Try => alarm.poll(by.waker()),
            Patience::Thread | Patience::Timed | Patience::Last if alarm.is_over() => {
                Poll::Ready(())
            }
            Patience::Thread | Patience::Timed | Patience::Last => Poll::Pending,
        }
    }

    /// When it is over, for [`Engine::wakes_at`].
    #[must_use]
    pub fn end(&self) -> Option<Instant> {
        Some(self.0.as_ref()?.moment())
    }
}

/// How long it is until a moment.
pub(super) fn rest(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}
