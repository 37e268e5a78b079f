//! The workloads, and who takes part in which.
//!
//! There are two, threads and tasks. A row of the table is one of them with keys:
//! a list for each thread, through which it goes again and again.

use crate::contender::{AsyncContender, Column, Contender, Key};
use crate::measure::{self, Plan, Run};
use crate::peers::{LeakyMap, OwnedKey, ParkingLot, Striped, Tokio};
use crate::subject::{
    FunctionAttribute, GlobalAttribute, GlobalGuard, LiteralAttribute, LiteralGuard,
    SpaceAttribute, SpaceGuard,
};
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
}

/// A contender in a row.
pub(crate) struct Cell {
    pub(crate) column: Column,
    pub(crate) run: Run,
}

impl Row {
    /// Measures the cells. Returns the times of each, by round.
    pub(crate) fn measure(&mut self, plan: Plan) -> Vec<Vec<f64>> {
        let mut runs: Vec<_> = self.cells.iter_mut().map(|cell| &mut cell.run).collect();
        measure::rounds(&mut runs, plan)
    }

    /// A row with the reference of every row: the bare mutex.
    fn new(name: &'static str, keys: &Keys, bare: impl Contender) -> Self {
        let row = Self {
            name,
            cells: Vec::new(),
            reference: None,
        };
        row.cell(Column::ParkingLot, threads(keys, bare))
    }

    fn cell(mut self, column: Column, run: Run) -> Self {
        self.cells.push(Cell { column, run });
        self
    }

    /// The contenders whose locks can be had by keys of any text.
    fn threaded_peers<K: OwnedKey>(self, keys: &Keys) -> Self {
        let map = LeakyMap::<parking_lot::Mutex<()>>::default();
        let tokio_map = LeakyMap::<tokio::sync::Mutex<()>>::default();
        let keyed_lock = sync::KeyedLock::<K>::new();
        self.cell(Column::KeyedLock, threads(keys, keyed_lock))
            .cell(Column::Lockable, threads(keys, LockPool::<K>::new()))
            .cell(Column::DashMap, threads(keys, map))
            .cell(Column::TokioDashMap, threads(keys, tokio_map))
            .cell(Column::Striped, threads(keys, Striped::new()))
    }
}

/// Every row, in the order of the table.
pub(crate) fn all() -> Vec<Row> {
    let one = Keys::new(1, |_| vec![Key::uuid(0)]);
    let literal = Keys::new(1, |_| vec![Key::LITERAL]);
    let many = Keys::new(1, |_| (0..4096).map(Key::uuid).collect());
    vec![
        keyed("one key", &one, ParkingLot::<1>::new()),
        keyed("4096 keys in turn", &many, ParkingLot::<1>::new()),
        Row::new("one key, a space of its own", &one, ParkingLot::<1>::new())
            .cell(Column::Guard, threads(&one, SpaceGuard))
            .cell(Column::Attribute, threads(&one, SpaceAttribute)),
        Row::new("literal key", &literal, ParkingLot::<1>::new())
            .cell(Column::Guard, threads(&literal, LiteralGuard))
            .cell(Column::Attribute, threads(&literal, LiteralAttribute))
            .threaded_peers::<&'static str>(&literal),
        Row::new("no key", &one, ParkingLot::<1>::new())
            .cell(Column::Attribute, threads(&one, FunctionAttribute)),
        awaited("async, one key", &one),
        same_key("2 threads, one key", 2),
        same_key("8 threads, one key", 8),
        own_keys("2 threads, own keys", 2),
        own_keys("8 threads, own keys", 8),
    ]
}

/// Threads that take locks by the text of a key.
fn keyed(name: &'static str, keys: &Keys, bare: impl Contender) -> Row {
    Row::new(name, keys, bare)
        .cell(Column::Guard, threads(keys, GlobalGuard))
        .cell(Column::Attribute, threads(keys, GlobalAttribute))
        .threaded_peers::<String>(keys)
}

fn same_key(name: &'static str, count: usize) -> Row {
    let keys = Keys::new(count, |_| vec![Key::uuid(0)]);
    keyed(name, &keys, ParkingLot::<1>::new())
}

fn own_keys(name: &'static str, count: usize) -> Row {
    let keys = Keys::new(count, |thread| vec![Key::uuid(thread)]);
    keyed(name, &keys, ParkingLot::<8>::new())
}

/// A task that takes locks by the text of a key.
fn awaited(name: &'static str, keys: &Keys) -> Row {
    let tokio_map = LeakyMap::<tokio::sync::Mutex<()>>::default();
    let keyed_lock = r#async::KeyedLock::<String>::new();
    let row = Row::new(name, keys, ParkingLot::<1>::new())
        .cell(Column::Tokio, tasks(keys, Tokio::default()))
        .cell(Column::Guard, tasks(keys, GlobalGuard))
        .cell(Column::Attribute, tasks(keys, GlobalAttribute))
        .cell(Column::KeyedLock, tasks(keys, keyed_lock))
        .cell(Column::Lockable, tasks(keys, LockPool::<String>::new()))
        .cell(Column::TokioDashMap, tasks(keys, tokio_map));
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
    let lists = Rc::clone(&keys.0);
    Box::new(move |length| {
        let lists = &*lists;
        measure::at_once(lists.len(), length, |thread, over| {
            let mut acquisitions = 0;
            loop {
                for key in &lists[thread] {
                    contender.locked(black_box(key), || ());
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
