//! Names of tasks, for people.
//!
//! A task is known by its waker alone, of which a holder writes down the data pointer. So a future
//! that has a name registers it under that pointer, at its first poll and when the pointer changes;
//! there holders are looked up. While it is polled the name is the thread's as well: so whoever
//! begins to wait has it also where the waker is another one, as below a `FuturesUnordered`.
//!
//! Several named futures can be polled with one waker. One that is polled inside of another has that
//! one's number as its parent's, and the innermost name stands for the waker. Where there are
//! two that aren't inside of each other, as the branches of a `join!` are, nobody can tell whose a
//! hold is: then the name that they have in common stands, or none.
//!
//! The registration ends with the future. A guard that outlives it has no name from then on, or that
//! of a later task whose waker has got the same address.

use crate::ordered::{OrderedMap, Ranked};
use crate::owner::Owner;
use crate::sync::ambient::Mutex;
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

static TASKS: Mutex<Tasks> = Mutex::new(Tasks {
    last: 0,
    names: OrderedMap::new(),
});

struct Tasks {
    last: u64,
    /// By waker, and number.
    names: OrderedMap<(Owner, u64), Name>,
}

/// A waker, and a number.
impl Ranked for (Owner, u64) {
    fn rank(self) -> [u64; 4] {
        [self.0.word(), self.1, 0, 0]
    }
}

struct Name {
    label: Arc<str>,
    /// The number of the named future that it was polled in.
    parent: Option<u64>,
}

/// The named future that a thread polls.
struct Current {
    number: u64,
    label: Arc<str>,
}

thread_local! {
    static CURRENT: Cell<Option<Current>> = const { Cell::new(None) };
}

/// Sets what the thread polls, and gives what it polled. At the very end of a thread there is
/// nothing to set.
#[inline(never)]
fn replace(current: Option<Current>) -> Option<Current> {
    CURRENT.try_with(|cell| cell.replace(current)).ok()?
}

/// What the task is called that the thread polls.
pub(crate) fn current() -> Option<Arc<str>> {
    let current = replace(None);
    let label = current.as_ref().map(|current| Arc::clone(&current.label));
    replace(current);
    label
}

/// What a task is called.
pub(crate) fn label_of(task: Owner) -> Option<Arc<str>> {
    let tasks = TASKS.lock();
    let mut found = None;
    loop {
        let inside = found.map(|(number, _)| number);
        let mut next = tasks.of(task).filter(|(_, name)| {
            let parent = name.parent;
            parent.filter(|parent| tasks.names.contains_key(&(task, *parent))) == inside
        });
        match (next.next(), next.next()) {
            (Some(name), None) => found = Some(name),
            _ => break,
        }
    }
    found.map(|(_, name)| Arc::clone(&name.label))
}

impl Tasks {
    fn of(&self, task: Owner) -> impl Iterator<Item = (u64, &Name)> {
        let names = self.names.range((task, 0)..=(task, u64::MAX));
        names.map(|((_, number), name)| (*number, name))
    }
}

/// Gives a task a name, by which all texts, [`snapshot`](crate::snapshot()) and
/// [`Holder::label`](crate::Holder::label) call it.
///
/// Put it around the whole of a task. It costs a registration for each task, and two writes to the
/// memory of the thread at each poll.
///
/// Of futures that are polled by one task, as the branches of a `join!` are, all have the task's
/// waker, by which a holder is known. So a name inside of another is that of all that the task
/// holds then, and where two are beside each other their holds have the name that is around both.
/// Who waits always has its own.
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
/// use std::pin::pin;
/// use std::task::{Context, Waker};
///
/// static CELLS: Locks = Locks::new("cells");
///
/// // As `tokio::spawn(named(..))` would.
/// let mut request = pin!(lockutils::named("request 81", async {
///     let _guard = CELLS.key("2f1c").lock_async().await;
///     std::future::pending::<()>().await;
/// }));
/// assert!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
///
/// let error = CELLS.key("2f1c").try_lock().unwrap_err();
/// assert_eq!(error.holder().unwrap().label(), Some("request 81"));
/// assert!(error.to_string().ends_with(" in task \"request 81\""));
/// ```
pub fn named<F: Future>(label: impl Into<Arc<str>>, future: F) -> Named<F> {
    Named {
        future,
        name: Registration::new(label.into()),
    }
}

/// A future whose task has a name, see [`named`](named()).
#[must_use = "a future does nothing unless it is polled"]
pub struct Named<F> {
    /// Dropped before its name is.
    future: F,
    name: Registration,
}

struct Registration {
    label: Arc<str>,
    number: u64,
    /// The waker that it is registered under.
    task: Option<Owner>,
    /// What the thread is lent while it is polled.
    lent: Option<Current>,
}

impl Registration {
    const fn new(label: Arc<str>) -> Self {
        Self {
            label,
            number: 0,
            task: None,
            lent: None,
        }
    }

    /// Registers the name with another waker.
    #[cold]
    fn register(&mut self, task: Owner) {
        let around = replace(None);
        let parent = around.as_ref().map(|current| current.number);
        replace(around);
        let name = Name {
            label: Arc::clone(&self.label),
            parent,
        };
        let mut tasks = TASKS.lock();
        if let Some(former) = self.task {
            tasks.names.remove(&(former, self.number));
        } else {
            tasks.last += 1;
            self.number = tasks.last;
        }
        tasks.names.insert((task, self.number), name);
        drop(tasks);
        self.task = Some(task);
        self.lent = Some(Current {
            number: self.number,
            label: Arc::clone(&self.label),
        });
    }

    /// Makes the name the thread's, until what this gives is dropped.
    fn enter(&mut self, task: Owner) -> Entered<'_> {
        if self.task != Some(task) {
            self.register(task);
        }
        let around = replace(self.lent.take());
        Entered { name: self, around }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(task) = self.task {
            let _name = TASKS.lock().names.remove(&(task, self.number));
        }
    }
}

/// The name of a future that is polled. Also a panic ends that.
struct Entered<'a> {
    name: &'a mut Registration,
    around: Option<Current>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.name.lent = replace(self.around.take());
    }
}

impl<F: Future> Future for Named<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future isn't moved: it is pinned again below, nothing else here takes it by
        // a mutable reference, and there is no `Drop` of `Named`, nor an `Unpin` where `F` has none.
        #[expect(unsafe_code, reason = "a future inside of another")]
        let (future, name) = unsafe {
            let Self { future, name } = self.get_unchecked_mut();
            (Pin::new_unchecked(future), name)
        };
        let _entered = name.enter(Owner::task(context.waker()));
        future.poll(context)
    }
}

impl<F> fmt::Debug for Named<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named")
            .field("label", &self.name.label)
            .finish_non_exhaustive()
    }
}
