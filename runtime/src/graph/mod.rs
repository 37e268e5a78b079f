//! Deadlock detection: which owner waits for which, looked at when one is about to wait.
//!
//! Every waiter is in one graph, under one mutex, while it is in a queue. A waiter that
//! joins a queue enters the graph and looks for a cycle through itself, in one go: so of the
//! waiters that close a cycle together exactly the last to enter finds it. Only the slow path
//! pays for it.
//!
//! A task can also close a cycle by getting a lock, while another of its branches waits. So it looks once
//! more as it gets one: when its wait ends, or at once where it didn't wait and others do. Where it can't know that others
//! do, since the lock is [ajar](crate::table::ajar), the thread that was called does so for it, when it comes or leaves. It may also get one without
//! coming for it, when the lock is handed to a future that it polls no more, as `select!` may leave one. But it is
//! called then, and counts as in the way from there on: it looks after each retry in vain of another branch. And by that
//! it is to be called once more, since somebody else may have been faster, and by now the lock has room again.
//!
//! A cycle of threads is dissolved by one of them that can fail, by preference the one that
//! closed it; where that can't, another one is *told*, woken, and gives up its wait. A thread
//! that is told is left out of searches from then on, since it runs. Only where none can fail does
//! the one that closed the cycle panic.
//!
//! Why this is exact between threads: a thread in the graph is inside a blocking call
//! from before the search starts, and it can't leave that before the search is over, since to
//! leave the graph it needs the mutex. As long as its ticket is in the queue it has not got
//! the lock. So it releases and takes nothing meanwhile, and what the search saw of it at
//! different moments was true at one. A guard that is sent on is no thread's any more.
//!
//! A task may hold a lock in one branch and wait in another, so a cycle with a task in
//! it is a suspicion, see [`suspicions`]. So is a thread that blocks for a second while a task has
//! the lock, since that may be what keeps the task from running: the thread itself looks
//! at that, each second, see [`Waiting::look`].
//!
//! From bottom to top: [`mod@search`] finds the owners that are stuck, and a cycle among them;
//! [`mod@cycle`] describes one; [`suspicions`] are those that may dissolve; [`judge`] has the graph,
//! and tells a thread to give up; [`watch`] looks again at suspicions that last; [`way`] and [`beyond`]
//! are for who finds deadlocks with other processes; [`Waiting`], here,
//! registers a waiter.

mod beyond;
mod cycle;
mod judge;
mod long_waits;
#[cfg(all(test, not(loom)))]
mod random;
mod search;
mod suspicions;
#[cfg(all(test, not(loom)))]
mod tests;
mod watch;
#[cfg(feature = "file")]
mod way;

use crate::deadlock::Deadlock;
use crate::observe::outcome::Outcome;
use crate::observe::probed::Probed;
use crate::observe::tell;
use crate::order;
use crate::ordered::OrderedSet;
use crate::owner::Owner;
use crate::sync::{Instant, MutexGuard};
use crate::table;
use crate::table::moment::Moment;
use crate::table::place::{EntryId, Place, Ticket};
use crate::table::watched::{Heard, Queued, Watched};
use cycle::find_block;
use judge::{GRAPH, Graph};
use search::ANYBODY;
use std::mem;
use std::task::Waker;
use std::time::Duration;
use suspicions::SUSPICION;

pub(crate) use beyond::beyond;
#[cfg(feature = "file")]
pub(crate) use beyond::{Beyond, end_beyond};
#[cfg(all(test, loom))]
pub(crate) use judge::{is_empty, is_suspicious};
pub(crate) use long_waits::watch as watch_long_waits;
#[cfg(feature = "file")]
pub(crate) use watch::report_apart;
#[cfg(feature = "file")]
pub(crate) use way::find_way;

/// The locks that are part of a suspicion which was reported and still lasts.
pub(crate) fn suspected() -> OrderedSet<EntryId> {
    let mut locks = judge::suspected();
    locks.extend(beyond::locks().keys().copied());
    locks
}

/// The cycle that a wait is part of, if that never ends unless a task releases what another of
/// its branches waits for.
pub(crate) fn find_cycle(owner: Owner, place: Place) -> Option<Deadlock> {
    let cycle = GRAPH.lock().search(owner, place, ANYBODY)?;
    Some(cycle.describe())
}

/// A task has taken a lock that others wait for. It may have closed a cycle by that, with what another branch of it
/// waits for.
#[cold]
pub(crate) fn overtakes(owner: Owner) {
    let mut graph = GRAPH.lock();
    graph.judge_others(owner);
    watch::leave(graph);
}

/// A task that waits in several branches is polled, and it may be that one of them was called, and polls its
/// future no more. It is to be called again by whatever changes about that lock, or else nobody looks whether it
/// is stuck by then. Gives whether there is no other branch.
fn recall_others(
    graph: MutexGuard<'static, Graph>,
    me: Owner,
    place: Place,
    waker: &dyn Fn() -> Waker,
) -> (MutexGuard<'static, Graph>, bool) {
    let others = graph.others(me, place);
    if others.is_empty() {
        return (graph, true);
    }
    drop(graph); // To make a waker is foreign code.
    for other in others {
        table::recall(other, waker());
    }
    (GRAPH.lock(), false)
}

/// A waiter's registration. Made when it has joined the queue, dropped when it has
/// left.
#[derive(Debug)]
pub(crate) struct Waiting {
    owner: Owner,
    pub(crate) place: Place,
    can_fail: bool,
    /// Whether this wait is to dissolve a deadlock. The graph keeps the deadlock itself: a field
    /// that has to be dropped would make each machine slower to drop.
    told: bool,
    /// What it has come to, if it ends now.
    pub(crate) outcome: Outcome,
    /// Since when it is heard of, if somebody listens.
    pub(crate) heard: Option<Moment>,
    /// When it has ended, if somebody listens.
    ended: Option<Moment>,
    /// Of a thread that blocks: what it saw of the queue.
    looked: Option<Look>,
    probed: Probed,
}

/// What a thread that blocks saw of the queue that it is in.
#[derive(Clone, Copy, Debug)]
struct Look {
    first: Option<Ticket>,
    /// When to look again.
    next: Option<Instant>,
}

impl Waiting {
    /// Registers a waiter that has just joined a queue, and looks for a cycle.
    pub(crate) fn begin(
        owner: Owner,
        queued: Queued,
        can_fail: bool,
        waker: &dyn Fn() -> Waker,
    ) -> Self {
        let Queued {
            place,
            heard,
            mut watched,
        } = queued;
        let probed = Probed::begin(|| place.ticket, || table::awaited(place));
        if let Some(Heard { space, .. }) = heard {
            tell::counted_wait_begins(space);
        }
        if let Some(watched) = &mut watched {
            tell::wait_begins(watched);
        }
        let heard = heard.map(|heard| heard.since);
        let since = heard.filter(|_| watched.is_some());
        let waiting = Self::enter((owner, place), can_fail, (heard, watched), probed, waker);
        since.into_iter().for_each(long_waits::watch);
        waiting
    }

    fn enter(
        (owner, place): (Owner, Place),
        can_fail: bool,
        (heard, watched): (Option<Moment>, Option<Box<Watched>>),
        probed: Probed,
        waker: &dyn Fn() -> Waker,
    ) -> Self {
        let mut graph = GRAPH.lock();
        graph.waits.insert(owner, place, can_fail, watched);
        let (mut graph, _) = recall_others(graph, owner, place, waker);
        let ahead = graph.look(place);
        let (mut others, mut told) = (Vec::new(), false);
        if ahead.may_never_end {
            others = graph.judge(owner, place, can_fail);
            told = graph.waits.get(owner, place).is_some_and(|wait| wait.told);
        }
        let nested = heard.map(|_| graph.nested(place, ahead));
        watch::leave(graph);
        others.into_iter().for_each(table::call);
        for (hold, wait, owner) in nested.into_iter().flatten() {
            order::seen(hold, wait, owner);
        }
        Self {
            owner,
            place,
            can_fail,
            told,
            outcome: Outcome::Cancelled,
            heard,
            ended: None,
            looked: None,
            probed,
        }
    }

    /// The lock was taken under this name, and the wait is about to be dropped.
    pub(crate) fn acquire(&mut self, owner: Owner, at: Option<Moment>) {
        if self.owner != owner {
            self.rename(owner);
        }
        self.outcome = Outcome::Acquired;
        self.ended = at;
    }

    /// A task has another waker by now. Its hold and the waits of its other branches are under that name, or
    /// will be as they are polled: so its other waits are looked for under that one, too.
    #[cold]
    fn rename(&mut self, owner: Owner) {
        GRAPH.lock().waits.rename((self.owner, self.place), owner);
        self.owner = owner;
    }

    /// Leaves the queue, before it is dropped. Not inlined, so that a machine is as fast to drop as
    /// it can be.
    #[cold]
    pub(crate) fn leave(&mut self) {
        let (ended, overtakers) = table::leave(self.place, self.heard, self.outcome);
        self.ended = ended;
        overtakers.into_iter().for_each(overtakes);
    }

    /// Called after a retry in vain: registers a task anew if it has another name by now, or looks at what it
    /// waits for once more; and sees whether a thread has been told to give up.
    pub(crate) fn go_on(&mut self, owner: Owner, waker: &dyn Fn() -> Waker) {
        if self.owner != owner {
            let mut graph = GRAPH.lock();
            let wait = graph.waits.get_mut(self.owner, self.place);
            let watched = wait.and_then(|wait| wait.watched.take());
            drop(graph);
            let probed = mem::take(&mut self.probed);
            let listened = (self.heard, watched);
            *self = Self::enter((owner, self.place), self.can_fail, listened, probed, waker);
        } else if !owner.is_thread() {
            let (mut graph, is_only) = recall_others(GRAPH.lock(), owner, self.place, waker);
            if !is_only {
                graph.judge_again(owner, self.place);
            }
            watch::leave(graph);
        } else if self.can_fail {
            let graph = GRAPH.lock();
            let wait = graph.waits.get(owner, self.place);
            self.told = wait.is_some_and(|wait| wait.told);
        }
    }

    /// The deadlock that this wait is to dissolve. Only threads are in it.
    pub(crate) fn take_deadlock(&mut self) -> Option<Deadlock> {
        if !self.told {
            return None;
        }
        let mut graph = GRAPH.lock();
        let wait = graph.waits.get_mut(self.owner, self.place)?;
        let deadlock = wait.deadlock.take()?;
        drop(graph);
        let deadlock = deadlock.describe();
        tell::deadlock(&deadlock, true);
        Some(deadlock)
    }

    /// Why this wait, which has lasted for so long, may never have ended.
    pub(crate) fn suspicion(&mut self, waited: Duration) -> Option<Deadlock> {
        if let Some(deadlock) = find_cycle(self.owner, self.place) {
            return Some(deadlock);
        }
        let first = self.looked?.first;
        if waited < SUSPICION || self.first_waiter() != first {
            return None;
        }
        Some(find_block(self.place)?.describe_block())
    }

    /// Of a thread that is about to block: when it is to look again. Where a task keeps it
    /// from the lock, and nobody in the queue has moved for a second, that is reported.
    pub(crate) fn look(&mut self) -> Option<Instant> {
        if cfg!(all(test, loom)) {
            return None; // Seconds don't go by in a model.
        }
        let now = Instant::now();
        if let Some(looked) = self.looked.filter(|looked| looked.next > Some(now)) {
            return looked.next;
        }
        let first = self.first_waiter();
        if self.looked.is_some_and(|looked| looked.first == first) {
            watch::report_block(self.owner, self.place);
        }
        let next = now.checked_add(SUSPICION);
        self.looked = Some(Look { first, next });
        next
    }

    fn first_waiter(&self) -> Option<Ticket> {
        table::look(self.place.entry, |entry| entry.first_waiter())?
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut graph = GRAPH.lock();
        let Graph { waits, suspicions } = &mut *graph;
        let Some(wait) = waits.remove(self.owner, self.place) else {
            return;
        };
        suspicions.end(self.place, wait.suspicion);
        if matches!(self.outcome, Outcome::Acquired) && !self.owner.is_thread() {
            graph.judge_others(self.owner);
        }
        watch::leave(graph);
        self.probed.end(self.outcome);
        if let Some(mut watched) = wait.watched {
            let ended = self.ended.unwrap_or_else(Moment::now);
            tell::wait_ends(&mut watched, self.outcome, ended);
        }
    }
}
