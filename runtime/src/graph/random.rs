//! Random programs of tasks that wait in several branches: no cycle of what they wait for is overlooked, whichever
//! way it came about.
//!
//! A task's waker only notes that it was called. A program polls a task some time later, all of its futures but those
//! that it has let be, as a `select!` does with one that it has a reference of. When each task that was called was
//! polled, every cycle has to be suspected.

use super::judge::{GRAPH, overlooked};
use super::tests::ALONE;
use crate::future::LockFuture;
use crate::guard::AsyncGuard;
use crate::local::Locks;
use crate::ordered::OrderedSet;
use crate::owner::Owner;
use crate::table::entry::OVERTAKE;
use crate::table::place::Place;
use proptest::collection::vec;
use proptest::prelude::*;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

const TASKS: usize = 3;
const KEYS: usize = 3;

static LOCKS: Locks = Locks::new("random");
static FAIR: Locks = Locks::new("random, fair").fair();
static COUNTED: Locks = Locks::new("random, counted").permits(2);

/// A step of a task. Numbers of guards and futures are taken modulo how many it has.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask {
        key: usize,
        shared: bool,
    },
    Release(usize),
    Cancel(usize),
    LetBe(usize),
    /// Is polled, if it was called.
    Run,
    /// From here on a lock is handed over to those who wait.
    Pass,
}

#[derive(Default)]
struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Task {
    called: Arc<Called>,
    guards: Vec<AsyncGuard>,
    waits: Vec<(LockFuture, Place)>,
    let_be: Vec<LockFuture>,
}

impl Task {
    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.called))
    }

    fn is_called(&self) -> bool {
        self.called.0.load(Ordering::Relaxed)
    }

    fn take(&mut self, locks: &'static Locks, step: Step) {
        fn take_one<T>(all: &mut Vec<T>, number: usize) -> Option<T> {
            let number = number.checked_rem(all.len())?;
            Some(all.swap_remove(number))
        }
        match step {
            Step::Ask { key, shared } => self.ask(locks, key, shared),
            Step::Release(number) => drop(take_one(&mut self.guards, number)),
            Step::Cancel(number) => drop(take_one(&mut self.waits, number)),
            // Not the last one, since a task that has left them all does something else.
            Step::LetBe(number) if self.waits.len() > 1 => {
                let waits = take_one(&mut self.waits, number);
                self.let_be.extend(waits.map(|(future, _)| future));
            }
            Step::LetBe(_) => {}
            Step::Run => self.run(),
            Step::Pass => thread::sleep(OVERTAKE),
        }
        if self.waits.is_empty() {
            self.let_be.clear();
        }
    }

    fn ask(&mut self, locks: &'static Locks, key: usize, shared: bool) {
        let handle = locks.key(key);
        let handle = if shared { handle.shared() } else { handle };
        let (mut future, waker) = (handle.lock_async(), self.waker());
        match poll(&mut future, &waker) {
            Poll::Ready(guard) => self.guards.push(guard),
            Poll::Pending => {
                let graph = GRAPH.lock();
                let waits = graph.waits.of(Owner::task(&waker));
                let (place, _) = waits.max_by_key(|(_, wait)| wait.number).expect("it waits");
                self.waits.push((future, place));
            }
        }
    }

    fn run(&mut self) {
        let waker = self.waker();
        if !self.called.0.swap(false, Ordering::Relaxed) {
            return;
        }
        let Self { waits, guards, .. } = self;
        waits.retain_mut(|(future, _)| match poll(future, &waker) {
            Poll::Ready(guard) => {
                guards.push(guard);
                false
            }
            Poll::Pending => true,
        });
    }
}

fn poll(future: &mut LockFuture, waker: &Waker) -> Poll<AsyncGuard> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..KEYS, prop::bool::weighted(0.2)).prop_map(|(key, shared)| Step::Ask { key, shared }),
        2 => any::<usize>().prop_map(Step::Release),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => any::<usize>().prop_map(Step::LetBe),
        3 => Just(Step::Run),
        1 => Just(Step::Pass),
    ]
}

/// A cycle that nobody suspects, though all tasks that were called were polled.
fn overlooked_by(tasks: &[Task]) -> Option<String> {
    if tasks.iter().any(Task::is_called) {
        return None;
    }
    let waits = tasks.iter().flat_map(|task| &task.waits);
    let waits: OrderedSet<Place> = waits.map(|(_, place)| *place).collect();
    let cycle = overlooked(|place| waits.contains_key(&place))?;
    Some(cycle.describe().to_string())
}

proptest! {
    #[test]
    fn no_cycle_is_overlooked(
        locks in prop::sample::select(vec![&LOCKS, &FAIR, &COUNTED]),
        steps in vec((0..TASKS, step()), 1..60),
    ) {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tasks: [Task; TASKS] = Default::default();
        for (task, step) in steps {
            tasks[task].take(locks, step);
            prop_assert_eq!(overlooked_by(&tasks), None);
        }
        while tasks.iter().any(Task::is_called) {
            tasks.iter_mut().for_each(Task::run);
        }
        prop_assert_eq!(overlooked_by(&tasks), None);
    }
}
