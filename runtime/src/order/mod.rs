//! The order in which locks are taken.
//!
//! A class is a lock space; of lock files and of a server's locks, which have a space of their own each
//! in this process, all that are called the same; of the process-wide space each key. Who holds a lock of one class and asks for one of
//! another gives an edge of a graph of [`classes`], with who it was, and where. An edge that closes a
//! cycle is two orders, which are told before whoever asks has the lock, or waits for it: so they are
//! found however seldom the two meet, and found in one run. Inside of a class the keys have the order of
//! [`Locks::keys`](crate::Locks::keys), and two that are taken against it are told at once.
//!
//! What an owner [holds](held) is told by [`exact`](crate::table::exact) mode, in which all locks leave the
//! fast path. Without it an edge is [seen] where a wait begins that is listened to, and who has that
//! lock waits for another one; and what is found is told to those alone who listen.
//!
//! A try gives no edge, since it never waits; but what it has taken is held, as any other. To enter a lock
//! again gives none, nor is a guard known that was sent on.

mod classes;
pub(crate) mod found;
pub(crate) mod held;

use crate::costs;
use crate::holder::{Holder, Shown};
use crate::key::Key;
use crate::key::text::beginning;
use crate::named;
use crate::observe::listen::is_deaf;
use crate::observe::tell;
use crate::owner::Owner;
use crate::site::Record;
use crate::site::Site;
use crate::sync::Ordering;
use crate::sync::ambient::{AtomicU8, Mutex};
use crate::table::ears::Ears;
use crate::table::identity::name_of;
use crate::table::kept::Exact;
use crate::table::place::Place;
use crate::table::sample::Sample;
use crate::table::{self, Name};
use classes::Nesting;
use found::{Lock, LockOrder, Step};
use held::{New, ORDER, class, is_against};
use std::env;
use std::io::{self, Write as _};
use std::sync::Once;
use std::thread;

/// By which the order of locks is looked at in a program that doesn't say so itself.
const VARIABLE: &str = "LOCKUTILS_LOCK_ORDER";

/// What is done about locks that are taken in two orders, see [`lock_order`](lock_order()).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOrderAction {
    /// Nothing.
    Off,
    /// They are told, and written to standard error.
    Report,
    /// They are told, and who asks for the lock panics, before it has it or waits for it.
    Panic,
}

/// An action as a byte.
static ACTION: AtomicU8 = AtomicU8::new(LockOrderAction::Off as u8);

/// Has [`held`] told of each hold.
static EXACT: Mutex<Option<Exact>> = Mutex::new(None);

/// Whether the environment has been asked.
static ASKED: Once = Once::new();

/// Sets what is done when locks are taken in two orders: by some a lock of one space and then, while that
/// is held, one of another, and by others the other way round. They need not meet for it: it is enough
/// that each has run once, in any thread or task.
///
/// Each is told once, as [`Event::LockOrder`](super::observe::Event::LockOrder), as WARN with the feature
/// `tracing`, and in the count `lockutils_lock_order_violations_total` of [`stats`](crate::stats()); and
/// it is written to standard error, or is a panic, by whoever asks for the second lock, before it has it.
/// It is for tests, and for a service for a while: each lock takes about ten times as long. It can be
/// switched at any time. While it is on, [`Holder::held_for`](crate::Holder::held_for) is known of each holder.
///
/// Without a call the environment says it, when the program first uses a lock: `LOCKUTILS_LOCK_ORDER=1` is
/// [`Report`](LockOrderAction::Report), `LOCKUTILS_LOCK_ORDER=panic` is
/// [`Panic`](LockOrderAction::Panic). A call counts from then on, whatever that says. So all the tests of
/// a program are tests of its lock order as well, as they are:
///
/// ```text
/// $ LOCKUTILS_LOCK_ORDER=panic cargo test
/// thread 'pays_back' panicked at src/pay.rs:60:
/// lockutils: locks are taken in two orders, which will deadlock one day:
///   cells/2f1c (src/cells.rs:41) and then images/9a (src/image.rs:12), in thread "connects"
///   images/7   (src/image.rs:60) and then cells/81d0 (src/cells.rs:90), in thread "pays_back"
/// ```
///
/// # What is an order
///
/// - Locks are one class if they are of one space; of lock files and servers, if their spaces are called
///   the same. A cycle of any number of classes is found.
/// - Two keys of one space are to be taken in the order of [`keys`](crate::Locks::keys), that of their
///   texts, or by it: `use keys([..]), which takes them in one order`.
///   Of a `PostgreSQL` server's locks take several by it alone: it takes them in the order of numbers that are made of
///   the keys, and two that are in the order of their texts may be against that, which isn't seen.
/// - In the process-wide space, [`global`](crate::global()), each key is a class of its own: what is
///   annotated `#[synchronized("vm-{id}")]` has nothing to do with `#[synchronized("image-{id}")]`.
/// - Who holds a lock is a thread or a task. The branches of a `join!` are one task. A guard that was sent on
///   is nobody's; a task's guard is that of the task that took it. A task is known by the address of its waker: of a guard
///   that outlives its task it is taken to be of the next one at that address, and tasks that are polled with one waker, as
///   `Waker::noop()` is, are one.
/// - Exclusive and shared holds count alike, since a writer that waits lets no reader pass.
/// - A try gives no order, since it waits for nobody: it can't be what closes a deadlock. What it has taken is
///   held, and what is waited for meanwhile comes after it. A timeout does give one.
/// - A lock that the owner has already gives none.
/// - Locks that an observer takes are not looked at.
///
/// A thousand pairs of classes are kept; each that comes after them is counted once in
/// `lockutils_events_dropped_total`.
///
/// Where it is off, and somebody listens to waits, such as an [observer](super::observe::set_observer), those
/// orders are told to them that are seen without a cost: that of a lock which somebody begins to wait for
/// while its holder waits for another one.
///
/// # Panics
///
/// Doesn't itself. In a destructor that runs because of another panic it is written to standard error
/// where it would be a panic.
///
/// # Examples
///
/// ```
/// use lockutils::Locks;
/// use lockutils::observe::{LockOrderAction, lock_order};
///
/// static CELLS: Locks = Locks::new("cells");
/// static IMAGES: Locks = Locks::new("images");
///
/// lock_order(LockOrderAction::Panic);
/// let connect = || {
///     let _cell = CELLS.key("2f1c").lock();
///     let _image = IMAGES.key("9a").lock();
/// };
/// let refresh = || {
///     let _image = IMAGES.key("7").lock();
///     let _cell = CELLS.key("81d0").lock();
/// };
/// connect();
/// assert!(std::panic::catch_unwind(refresh).is_err());
/// assert!(!IMAGES.key("7").is_locked());
/// ```
pub fn lock_order(action: LockOrderAction) {
    ASKED.call_once(|| {});
    set(action);
}

fn set(action: LockOrderAction) {
    let mut exact = EXACT.lock();
    // Relaxed, here and where it is read: what is held is under a mutex, and who is late by a
    // lock was there before.
    if action == LockOrderAction::Off {
        ACTION.store(action as u8, Ordering::Relaxed);
        *exact = None;
    } else {
        exact.get_or_insert_with(|| Exact::begin(Ears::ORDER, Sample::one_in(1)));
        ACTION.store(action as u8, Ordering::Relaxed);
    }
}

fn action() -> LockOrderAction {
    match ACTION.load(Ordering::Relaxed) {
        byte if byte == LockOrderAction::Report as u8 => LockOrderAction::Report,
        byte if byte == LockOrderAction::Panic as u8 => LockOrderAction::Panic,
        _ => LockOrderAction::Off,
    }
}

/// Does what the environment says. To be called when a space is first used, and before it is.
pub(crate) fn begin() {
    if cfg!(all(test, loom)) {
        return;
    }
    ASKED.call_once(|| match env::var_os(VARIABLE) {
        Some(value) if value == "1" => set(LockOrderAction::Report),
        Some(value) if value == "panic" => set(LockOrderAction::Panic),
        Some(value) if value != "0" && !value.is_empty() => say(&format!(
            "`{VARIABLE}` is to be 0, 1 or panic, and is {value:?}: the order of locks is not looked at"
        )),
        _ => {}
    });
}

/// Not `eprintln!`, which panics where nobody listens.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "lockutils: {text}");
}

#[cfg(all(test, not(loom)))]
thread_local! {
    /// How often a thread was about to take a lock.
    pub(crate) static TAKES: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Somebody is about to take a lock, and to wait for it where it isn't free.
#[inline]
#[track_caller]
pub(crate) fn before_take(name: Name<'_>, record: Record) {
    #[cfg(all(test, not(loom)))]
    TAKES.set(TAKES.get() + 1);
    let action = action();
    if action != LockOrderAction::Off {
        look(name, record, action);
    }
}

/// Somebody has a lock and waits for another one, as was seen by who waits for it in turn and is
/// listened to.
pub(crate) fn seen(hold: Place, wait: Place, owner: Owner) {
    // Exact mode has seen it before.
    if action() != LockOrderAction::Off || owner == Owner::UNKNOWN {
        return;
    }
    let at = |place: Place| {
        table::look(place.entry, |entry| {
            let site = entry.site_of(place.ticket)?;
            Some((entry.space, entry.key(), Record { owner, site }))
        })?
    };
    let (Some(former), Some((space, key, record))) = (at(hold), at(wait)) else {
        return;
    };
    let (Some(first), Some(asked)) = (class(former.0, &former.1), class(space, &key)) else {
        return;
    };
    let nesting = Nesting { held: first, asked };
    let is_in_order = first == asked && !is_against(&former.1, &key);
    if is_in_order || ORDER.lock().knows(nesting) {
        return;
    }
    let new = New {
        nesting,
        space: former.0,
        key: former.1,
        site: former.2.site,
    };
    let asked = Lock::at(space, &key, record.site);
    learn(
        vec![new],
        &asked,
        &Holder::from(record),
        LockOrderAction::Off,
    );
}

#[cold]
#[track_caller]
fn look(name: Name<'_>, record: Record, action: LockOrderAction) {
    let (owner, space) = (record.owner, name.space.number);
    let key = name.key();
    let class = class(space, &key).filter(|_| owner != Owner::UNKNOWN && !is_deaf());
    let Some(class) = class else {
        return;
    };
    let new = ORDER.lock().new_nestings(owner, class, &key);
    if new.is_empty() {
        return;
    }
    let who = Holder::from(record).shown(Shown {
        label: named::current(),
        ..Shown::default()
    });
    learn(new, &Lock::at(space, &key, record.site), &who, action);
}

/// Adds what is new to what is known of the order of locks, and tells of what is taken in two.
#[track_caller]
fn learn(new: Vec<New>, asked: &Lock, who: &Holder, action: LockOrderAction) {
    let mut found = Vec::new();
    for New {
        nesting,
        space,
        key,
        site,
    } in new
    {
        let step = Step {
            held: Lock::at(space, &key, site),
            asked: asked.clone(),
            who: who.clone(),
        };
        let learnt = ORDER.lock().learn(nesting, step);
        match learnt {
            Ok(cycle) => found.extend(cycle),
            Err(held::Full) => costs::dropped(1),
        }
    }
    for order in &found {
        tell::lock_order(order);
    }
    for order in &found {
        act(order, action);
    }
}

#[track_caller]
fn act(order: &LockOrder, action: LockOrderAction) {
    match action {
        LockOrderAction::Off => {}
        LockOrderAction::Panic if !thread::panicking() => panic!("lockutils: {order}"),
        LockOrderAction::Report | LockOrderAction::Panic => say(&order.to_string()),
    }
}

/// So much of a key is kept, in bytes, or a little less.
const KEY: usize = 256;

impl Lock {
    fn at(space: u64, key: &Key, site: Site) -> Self {
        Self {
            number: space,
            space: name_of(space),
            key: Key::from_text(beginning(key.as_str(), KEY)),
            site,
        }
    }
}
