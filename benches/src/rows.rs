//! The workloads, and who takes part in which.
//!
//! There are two, threads and tasks. A row of the table is one of them with keys:
//! a list for each thread, through which it goes again and again.

use crate::contender::{AsyncContender, Column, Contender, Key};
use crate::figure;
use crate::kinds::{
    AsyncCaptured, AsyncInteger, BareShared, BesideAttribute, BesideCountedAttribute,
    BesideCountedGuard, BesideGuard, CapturedIdAttribute, CapturedIdGuard, CapturedNameAttribute,
    CapturedNameGuard, CountedAttribute, CountedGuard, DerivedAttribute, DerivedGuard,
    EightAttribute, EightGuard, FairAttribute, FairGuard, FourAttribute, FourGuard,
    IntegerAttribute, IntegerGuard, NewtypeAttribute, NewtypeGuard, ReentrantAttribute,
    ReentrantGuard, ReentryAttribute, ReentryGuard, RefusedGuard, SharedAttribute, SharedGuard,
    TupleAttribute, TupleGuard, TwoAttribute, TwoGuard, UuidAttribute, UuidGuard,
};
use crate::measure::{self, Plan, Run};
use crate::peers::{LeakyMap, OfUser, OwnedKey, ParkingLot, Striped, Tokio};
use crate::subject::{
    FunctionAttribute, GlobalAttribute, GlobalGuard, LiteralAttribute, LiteralGuard,
    SpaceAttribute, SpaceGuard,
};
use crate::target::{Reach, Target, Unit};
use keyed_lock::{r#async, sync};
use lockable::LockPool;
use std::future;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// A thread looks whether time is up once in so many acquisitions, or seldomer.
const PASS: usize = 32;

/// A line of the table that is measured.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) cells: Vec<Cell>,
    /// Beside the bare `parking_lot` mutex: what else to compare with.
    pub(crate) reference: Option<Column>,
    goals: Vec<Goal>,
}

/// A contender in a row.
pub(crate) struct Cell {
    pub(crate) column: Column,
    pub(crate) run: Run,
}

/// How long one contender of a row may take, as a ratio to another.
pub(crate) struct Goal {
    column: Column,
    reference: Column,
    reach: Reach,
}

/// A row with the times of its contenders, by round.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) times: Vec<(Column, Vec<f64>)>,
    pub(crate) reference: Option<Column>,
    pub(crate) goals: Vec<Goal>,
}

impl Measured {
    /// # Panics
    ///
    /// If the contender has no part in the row.
    pub(crate) fn times_of(&self, column: Column) -> &[f64] {
        let mut cells = self.times.iter();
        let cell = cells.find(|(other, _)| *other == column);
        &cell.expect("the contender has a part in the row").1
    }

    /// What has become of the row's goals.
    pub(crate) fn targets(&self) -> impl Iterator<Item = Target> {
        self.goals.iter().map(|goal| {
            let Goal {
                column,
                reference,
                reach,
            } = *goal;
            let [times, of_reference] = [column, reference].map(|column| self.times_of(column));
            let [column, reference] = [column, reference].map(Column::name);
            Target {
                what: format!("{}: {column} / {reference}", self.name),
                reach,
                measured: measure::ratio(times, of_reference),
                details: figure::compared(times, of_reference),
            }
        })
    }
}

impl Row {
    /// Measures the cells.
    pub(crate) fn measure(mut self, plan: Plan) -> Measured {
        let runs = self.cells.iter_mut().map(|cell| &mut cell.run).collect();
        let times = measure::rounds(runs, plan);
        let columns = self.cells.iter().map(|cell| cell.column);
        Measured {
            name: self.name,
            times: columns.zip(times).collect(),
            reference: self.reference,
            goals: self.goals,
        }
    }

    /// A row with the reference of every row: the bare mutex.
    fn new(name: &'static str, keys: &Keys, bare: impl Contender) -> Self {
        let row = Self {
            name,
            cells: Vec::new(),
            reference: None,
            goals: Vec::new(),
        };
        row.cell(Column::ParkingLot, threads(keys, bare))
    }

    fn cell(mut self, column: Column, run: Run) -> Self {
        self.cells.push(Cell { column, run });
        self
    }

    /// A goal: the most that `column` may take for each time of the reference.
    fn at_most(self, limit: f64, column: Column, reference: Column) -> Self {
        self.goal(column, reference, Reach::AtMost(limit, Unit::Times))
    }

    /// A goal: how many times our guard's time the peer is to take at least.
    fn faster_than(self, peer: Column, limit: f64) -> Self {
        self.goal(peer, Column::Guard, Reach::AtLeast(limit, Unit::Times))
    }

    /// A goal for the guard and the attribute: so many times the bare lock's time.
    fn both_at_most(self, limit: f64) -> Self {
        self.at_most(limit, Column::Guard, Column::ParkingLot)
            .at_most(limit, Column::Attribute, Column::ParkingLot)
    }

    /// The goal that the attribute costs what the guard does that it stands for.
    fn attribute_costs_nothing(self) -> Self {
        self.at_most(1.05, Column::Attribute, Column::Guard)
    }

    fn goal(mut self, column: Column, reference: Column, reach: Reach) -> Self {
        self.goals.push(Goal {
            column,
            reference,
            reach,
        });
        self
    }

    /// The contenders whose locks can be had by such keys.
    fn threaded_peers<K: OwnedKey>(self, keys: &Keys) -> Self {
        let map = LeakyMap::<parking_lot::Mutex<()>, K>::default();
        let tokio_map = LeakyMap::<tokio::sync::Mutex<()>, K>::default();
        let keyed_lock = sync::KeyedLock::<K>::new();
        self.cell(Column::KeyedLock, threads(keys, keyed_lock))
            .cell(Column::Lockable, threads(keys, LockPool::<K>::new()))
            .cell(Column::DashMap, threads(keys, map))
            .cell(Column::TokioDashMap, threads(keys, tokio_map))
            .cell(Column::Striped, threads(keys, Striped::<K>::new()))
    }

    /// The same, awaited.
    fn awaited_peers<K: OwnedKey>(self, keys: &Keys) -> Self {
        let map = LeakyMap::<tokio::sync::Mutex<()>, K>::default();
        let keyed_lock = r#async::KeyedLock::<K>::new();
        self.cell(Column::KeyedLock, tasks(keys, keyed_lock))
            .cell(Column::Lockable, tasks(keys, LockPool::<K>::new()))
            .cell(Column::TokioDashMap, tasks(keys, map))
    }
}

/// Every row, in the order of the table.
pub(crate) fn all() -> Vec<Row> {
    let one = Keys::new(1, |_| vec![Key::uuid(0)]);
    let literal = Keys::new(1, |_| vec![Key::LITERAL]);
    let many = Keys::new(1, |_| (0..4096).map(Key::uuid).collect());
    let mut rows = commonest(&one, &many);
    rows.extend([
        uncontended("one key", &one, 1.4),
        uncontended("4096 keys in turn", &many, 1.5),
        Row::new("one key, a space of its own", &one, ParkingLot::<1>::new())
            .cell(Column::Guard, threads(&one, SpaceGuard))
            .cell(Column::Attribute, threads(&one, SpaceAttribute))
            .attribute_costs_nothing(),
        Row::new("literal key", &literal, ParkingLot::<1>::new())
            .cell(Column::Guard, threads(&literal, LiteralGuard))
            .cell(Column::Attribute, threads(&literal, LiteralAttribute))
            .threaded_peers::<&'static str>(&literal)
            .both_at_most(1.2)
            .attribute_costs_nothing(),
        Row::new("no key", &one, ParkingLot::<1>::new())
            .cell(Column::Attribute, threads(&one, FunctionAttribute))
            .at_most(1.2, Column::Attribute, Column::ParkingLot),
        awaited("async, one key", &one),
        same_key("2 threads, one key", 2),
        same_key("8 threads, one key", 8),
        busy("2 threads, one key, 40 ns inside", 2),
        busy("8 threads, one key, 40 ns inside", 8),
        own_keys("2 threads, own keys", 2),
        own_keys("8 threads, own keys", 8)
            .faster_than(Column::KeyedLock, 5.0)
            .faster_than(Column::Lockable, 5.0),
    ]);
    rows.extend(kinds_of_keys(&one));
    rows.extend(kinds_of_holds(&one));
    rows.push(skewed());
    rows
}

/// One thread, by the keys that services have most.
fn commonest(one: &Keys, many: &Keys) -> Vec<Row> {
    let integers = |name, keys, limit| {
        kind(name, keys, limit, IntegerGuard, IntegerAttribute).threaded_peers::<u64>(keys)
    };
    vec![
        integers("integer", one, 1.6),
        integers("4096 integers in turn", many, 1.8),
        kind("user-{id}", one, 2.5, CapturedIdGuard, CapturedIdAttribute)
            .threaded_peers::<OfUser>(one),
    ]
}

/// One thread, by other keys than a short text.
fn kinds_of_keys(one: &Keys) -> Vec<Row> {
    let [hundred, thousand] = [100, 1000].map(|length| Keys::new(1, |_| vec![Key::long(length)]));
    vec![
        kind(
            "newtype of an integer",
            one,
            1.6,
            NewtypeGuard,
            NewtypeAttribute,
        ),
        kind(
            "user-{name}",
            one,
            2.2,
            CapturedNameGuard,
            CapturedNameAttribute,
        ),
        kind(
            "tuple of a text and an integer",
            one,
            2.5,
            TupleGuard,
            TupleAttribute,
        ),
        kind("derived struct", one, 2.5, DerivedGuard, DerivedAttribute),
        kind("UUID", one, 1.8, UuidGuard, UuidAttribute),
        kind(
            "text of 100 bytes",
            &hundred,
            4.0,
            GlobalGuard,
            GlobalAttribute,
        ),
        kind(
            "text of 1000 bytes",
            &thousand,
            20.0,
            GlobalGuard,
            GlobalAttribute,
        ),
        awaited_kind::<u64>("async, integer", one, 0.6, AsyncInteger),
        awaited_kind::<OfUser>("async, user-{id}", one, 0.8, AsyncCaptured),
    ]
}

/// Held in other ways than alone.
fn kinds_of_holds(one: &Keys) -> Vec<Row> {
    let eight = Keys::new(8, |_| vec![Key::uuid(0)]);
    let only_guard = |name, limit, guard: Run| {
        Row::new(name, one, ParkingLot::<1>::new())
            .cell(Column::Guard, guard)
            .at_most(limit, Column::Guard, Column::ParkingLot)
    };
    vec![
        kind("shared", one, 3.0, SharedGuard, SharedAttribute),
        kind(
            "shared, beside another",
            one,
            3.0,
            BesideGuard::new(),
            BesideAttribute,
        ),
        kind("counted", one, 3.0, CountedGuard, CountedAttribute),
        kind(
            "counted, beside another",
            one,
            3.0,
            BesideCountedGuard::new(),
            BesideCountedAttribute,
        ),
        kind("fair", one, 1.5, FairGuard, FairAttribute),
        kind("reentrant", one, 1.5, ReentrantGuard, ReentrantAttribute),
        kind("re-entry", one, 3.0, ReentryGuard, ReentryAttribute),
        kind("two keys", one, 5.0, TwoGuard, TwoAttribute),
        kind("eight keys", one, 16.0, EightGuard, EightAttribute),
        only_guard(
            "try that is refused",
            6.0,
            threads(one, RefusedGuard::new()),
        ),
        by_both(
            "8 threads, one key shared",
            &eight,
            BareShared::new(),
            4.0,
            SharedGuard,
            SharedAttribute,
        ),
        by_both(
            "8 threads, four permits",
            &eight,
            ParkingLot::<1>::new(),
            20.0,
            FourGuard,
            FourAttribute,
        ),
    ]
}

/// Keys of which a few are wanted most of the time, as those of a service's customers: the one
/// in the place `n` of 4096 about once for `n` times that the first is.
fn skewed() -> Row {
    const KEYS: usize = 4096;
    let keys = Keys::new(2, |thread| {
        let mut state = u32::try_from(thread).expect("few threads");
        let mut place = || {
            // A linear congruential generator, whose upper bits are good enough.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let share = f64::from(state >> 8) / f64::from(1 << 24);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a place, from 1 to below the number of keys"
            )]
            let place = (KEYS as f64).powf(share) as usize;
            place - 1
        };
        (0..KEYS).map(|_| Key::number(place())).collect()
    });
    let map = LeakyMap::<parking_lot::Mutex<()>, u64>::default();
    Row::new(
        "2 threads, 4096 integers, a few of them mostly",
        &keys,
        ParkingLot::<KEYS>::new(),
    )
    .cell(Column::Guard, threads(&keys, IntegerGuard))
    .cell(Column::Attribute, threads(&keys, IntegerAttribute))
    .cell(Column::DashMap, threads(&keys, map))
    .at_most(0.8, Column::Guard, Column::DashMap)
    .at_most(0.8, Column::Attribute, Column::DashMap)
}

/// One thread, with nobody else near.
fn kind(
    name: &'static str,
    keys: &Keys,
    limit: f64,
    guard: impl Contender,
    attribute: impl Contender,
) -> Row {
    by_both(name, keys, ParkingLot::<1>::new(), limit, guard, attribute)
}

/// By guard and by attribute, each in so many times the bare lock's time.
fn by_both(
    name: &'static str,
    keys: &Keys,
    bare: impl Contender,
    limit: f64,
    guard: impl Contender,
    attribute: impl Contender,
) -> Row {
    Row::new(name, keys, bare)
        .cell(Column::Guard, threads(keys, guard))
        .cell(Column::Attribute, threads(keys, attribute))
        .both_at_most(limit)
}

/// A task, by attribute.
fn awaited_kind<K: OwnedKey>(
    name: &'static str,
    keys: &Keys,
    limit: f64,
    attribute: impl AsyncContender,
) -> Row {
    let row = Row::new(name, keys, ParkingLot::<1>::new())
        .cell(Column::Tokio, tasks(keys, Tokio::default()))
        .cell(Column::Attribute, tasks(keys, attribute))
        .awaited_peers::<K>(keys)
        .at_most(limit, Column::Attribute, Column::Tokio);
    Row {
        reference: Some(Column::Tokio),
        ..row
    }
}

/// Threads that take locks by the text of a key.
fn keyed(name: &'static str, keys: &Keys, bare: impl Contender) -> Row {
    Row::new(name, keys, bare)
        .cell(Column::Guard, threads(keys, GlobalGuard))
        .cell(Column::Attribute, threads(keys, GlobalAttribute))
        .threaded_peers::<String>(keys)
}

/// One thread, with nobody else near.
fn uncontended(name: &'static str, keys: &Keys, limit: f64) -> Row {
    keyed(name, keys, ParkingLot::<1>::new())
        .both_at_most(limit)
        .attribute_costs_nothing()
}

fn same_key(name: &'static str, count: usize) -> Row {
    let keys = Keys::new(count, |_| vec![Key::uuid(0)]);
    keyed(name, &keys, ParkingLot::<1>::new()).both_at_most(1.5)
}

/// The same, where each does something with the lock, and nothing without it: so there is always somebody who
/// wants it.
pub(crate) fn busy(name: &'static str, count: usize) -> Row {
    let keys = Keys::new(count, |_| vec![Key::uuid(0)]);
    let row = Row {
        name,
        cells: Vec::new(),
        reference: None,
        goals: Vec::new(),
    };
    let bare = ParkingLot::<1>::new();
    row.cell(Column::ParkingLot, threads_with(&keys, bare, work))
        .cell(Column::Guard, threads_with(&keys, GlobalGuard, work))
        .cell(
            Column::Attribute,
            threads_with(&keys, GlobalAttribute, work),
        )
        .both_at_most(2.0)
}

/// Takes some 40 nanoseconds: each step waits for the one before, and none is left out.
fn work() {
    (0..32).fold(1_u64, |state, step| {
        black_box(state.wrapping_mul(6_364_136_223_846_793_005) ^ step)
    });
}

fn own_keys(name: &'static str, count: usize) -> Row {
    let keys = Keys::new(count, |thread| vec![Key::uuid(thread)]);
    keyed(name, &keys, ParkingLot::<8>::new())
}

/// A task that takes locks by the text of a key.
fn awaited(name: &'static str, keys: &Keys) -> Row {
    let row = Row::new(name, keys, ParkingLot::<1>::new())
        .cell(Column::Tokio, tasks(keys, Tokio::default()))
        .cell(Column::Guard, tasks(keys, GlobalGuard))
        .cell(Column::Attribute, tasks(keys, GlobalAttribute))
        .awaited_peers::<String>(keys)
        .at_most(0.9, Column::Guard, Column::Tokio)
        .at_most(0.4, Column::Attribute, Column::Tokio)
        .attribute_costs_nothing();
    Row {
        reference: Some(Column::Tokio),
        ..row
    }
}

/// A list of keys for each thread, which is gone through in passes.
struct Keys(Rc<[Vec<Key>]>);

impl Keys {
    fn new(threads: usize, of_thread: impl Fn(usize) -> Vec<Key>) -> Self {
        let list = |thread| {
            let keys = of_thread(thread);
            let times = PASS.div_ceil(keys.len());
            keys.repeat(times)
        };
        Self((0..threads).map(list).collect())
    }
}

/// Threads that take and release locks with nothing in between.
fn threads(keys: &Keys, contender: impl Contender) -> Run {
    threads_with(keys, contender, || ())
}

/// Threads that take and release locks with a section in between.
fn threads_with(
    keys: &Keys,
    contender: impl Contender,
    section: impl Fn() + Copy + Sync + 'static,
) -> Run {
    let lists = Rc::clone(&keys.0);
    Box::new(move |length| {
        let lists = &*lists;
        measure::at_once(lists.len(), length, |thread, over| {
            let mut acquisitions = 0;
            loop {
                for key in &lists[thread] {
                    contender.locked(black_box(key), section);
                    acquisitions += 1;
                }
                if over.load(Ordering::Relaxed) {
                    break acquisitions;
                }
            }
        })
    })
}

/// Tasks that do the same, each on a Tokio runtime of its thread's own.
fn tasks(keys: &Keys, contender: impl AsyncContender) -> Run {
    let lists = Rc::clone(&keys.0);
    let runtime = |_| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime without drivers needs nothing")
    };
    let runtimes: Vec<_> = lists.iter().map(runtime).collect();
    Box::new(move |length| {
        let lists = &*lists;
        measure::at_once(lists.len(), length, |thread, over| {
            runtimes[thread].block_on(async {
                let mut acquisitions = 0;
                loop {
                    for key in &lists[thread] {
                        contender.locked(black_box(key), future::ready(())).await;
                        acquisitions += 1;
                    }
                    if over.load(Ordering::Relaxed) {
                        break acquisitions;
                    }
                }
            })
        })
    })
}
