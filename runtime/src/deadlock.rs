//! What is told of a deadlock, and to whom.

use crate::foreign;
use crate::holder::Holder;
use crate::key::Key;
use crate::name::{Keys, LockName};
use crate::site::Site;
use crate::sync::ambient::Mutex;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::Arc;

/// A cycle of holders and waiters, none of whom can go on before the others, be they of one process
/// or, by lock files, of several; or a thread that
/// blocks for what a task holds, which may need that thread to go on.
///
/// [`Display`](fmt::Display) gives a line for each lock of the cycle, with who waits for
/// it, where, and who holds it. Of a thread that blocks it gives one line, with the remedy. The
/// lines are indented, and the last has no end of line.
///
/// # Examples
///
/// ```
/// use lockutils::{ErrorKind, Locks};
/// use std::time::Duration;
///
/// static CELLS: Locks = Locks::new("cells");
///
/// let _guard = CELLS.key("2f1c").lock();
/// // The same thread again, which would wait for itself.
/// let error = CELLS.key("2f1c").lock_timeout(Duration::from_secs(60)).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Deadlock);
/// let deadlock = error.deadlock().unwrap().to_string();
/// assert!(deadlock.contains("waits for lock \"cells/2f1c\", held by "));
/// ```
#[derive(Clone, Debug)]
pub struct Deadlock {
    edges: Vec<Edge>,
    /// Whether it is no cycle, but a thread that blocks for a task.
    is_block: bool,
}

/// A wait in a cycle.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) waiter: Holder,
    /// The name of the lock space, or the directory of another process's lock file.
    pub(crate) space: Cow<'static, str>,
    pub(crate) key: Key,
    pub(crate) holder: Holder,
}

impl Deadlock {
    pub(crate) const fn new(edges: Vec<Edge>) -> Self {
        Self {
            edges,
            is_block: false,
        }
    }

    /// A thread that blocks for what a task holds.
    pub(crate) fn block(edge: Edge) -> Self {
        Self {
            edges: vec![edge],
            is_block: true,
        }
    }

    /// The same, with what is shown of its keys.
    pub(crate) fn with_keys(mut self, keys: Keys) -> Self {
        for edge in &mut self.edges {
            edge.key = keys.shown(&edge.key);
        }
        self
    }

    /// Where it is waited, if somebody waits for nobody else.
    pub(crate) fn own_wait(&self) -> Option<Site> {
        self.own()?.waiter.site()
    }

    fn own(&self) -> Option<&Edge> {
        match &self.edges[..] {
            [own] if !self.is_block => Some(own),
            _ => None,
        }
    }

    /// What there is to know where one attribute both holds and waits.
    pub(crate) fn remedy_for_a_copy(&self) -> Option<&'static str> {
        let own = self.own()?;
        let (holder, waiter) = (own.holder.site()?, own.waiter.site()?);
        let is_attribute = holder.function().is_some() && waiter.function().is_some();
        (is_attribute && holder.location() == waiter.location()).then_some(
            "; both are one `#[synchronized]`: where the function neither calls itself nor is \
             joined with itself in one task, another attribute above it has copied it, so put \
             `#[synchronized]` above that one",
        )
    }

    /// The same where a task has the lock already. A thread is told by its error.
    fn remedy_for_a_task(&self) -> Option<&'static str> {
        let own = self.own()?;
        // Where it was handed the lock it has only to come for it.
        let has_it = own.waiter.is_task() && own.holder.not_polled_for().is_none();
        has_it.then_some(
            ": the same task, which can't re-enter; release the lock first, or have the body in a \
             function without `#[synchronized]`, for who holds the lock to call",
        )
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (
            index,
            Edge {
                waiter,
                space,
                key,
                holder,
            },
        ) in self.edges.iter().enumerate()
        {
            if index > 0 {
                writeln!(f)?;
            }
            let lock = LockName { space, key };
            let waits = if self.is_block { "blocks" } else { "waits" };
            let has = holder.has();
            write!(f, "  {waiter} {waits} for lock {lock}, {has}")?;
        }
        if self.is_block {
            write!(
                f,
                "; a task goes on only while its runtime has a thread for it, so where this \
                 thread is one, use the async form instead: `lock_async`, or an `async fn`"
            )?;
        }
        let remedy = self.remedy_for_a_copy();
        let remedy = remedy.or_else(|| self.remedy_for_a_task());
        f.write_str(remedy.unwrap_or_default())
    }
}

type Hook = Arc<dyn Fn(&Deadlock) + Send + Sync>;

static HOOK: Mutex<Option<Hook>> = Mutex::new(None);

/// Sets what is called with a suspected deadlock; without it, it is printed to standard
/// error.
///
/// Between threads that block, a deadlock is certain, and is an error or a panic of one of the
/// calls in it. Where an async task holds or waits in the cycle it is a
/// suspicion, since one branch of a task may release what another waits for. It is a
/// suspicion as well when a thread blocks while a task has the lock: if the thread is one that
/// the task's runtime needs, neither will go on. Take the lock by `lock_async`, or in an
/// `async fn` there.
///
/// A lock may be handed to a future that its task polls no more, as a `select!` in a loop leaves one that it has by
/// reference. Where the task then waits for that lock, or for somebody who does, this is reported as such a cycle, in
/// which the lock is `handed to` the task. Tasks are told apart by their wakers: an executor that makes a new one for
/// each poll, or a combinator that has one for each of its branches, hides that two futures are of one task.
///
/// And it is a suspicion where other processes of the host are part of the cycle, by lock files, see
/// [`FileLocks`](crate::FileLocks#deadlocks-between-processes). Each process reports it.
///
/// A suspicion is reported here once, when it has lasted a second; a thread that blocks, once
/// for each lock, however many wait for it.
///
/// The hook is called on a thread of its own, and must not block for long. If it panics, that
/// report is lost, and no other.
///
/// # Examples
///
/// ```
/// lockutils::set_deadlock_hook(|deadlock| eprintln!("locks are stuck:\n{deadlock}"));
/// ```
pub fn set_deadlock_hook(hook: impl Fn(&Deadlock) + Send + Sync + 'static) {
    let hook: Hook = Arc::new(hook);
    // The old one is dropped when the mutex is free again.
    let _old = HOOK.lock().replace(hook);
}

/// Calls the hook.
pub(crate) fn report(deadlock: &Deadlock) {
    let hook = HOOK.lock().clone();
    if let Some(hook) = hook {
        foreign::contain(|| hook(deadlock));
        // It may have been replaced meanwhile, and be the last.
        foreign::contain(move || drop(hook));
    } else {
        // Not `eprintln!`, which panics where nobody listens.
        let _ = writeln!(
            io::stderr(),
            "lockutils: suspected deadlock, for a second now:\n{deadlock}"
        );
    }
}
