//! Random programs against a simple model of what a lock space is.
//!
//! A program runs step by step on one thread, with futures polled by hand, so that
//! each step has one answer: held, refused, or waiting. In a fair space the model knows
//! it, and which waiters have been woken. In one that isn't, how long a waiter has
//! waited counts too, and the model knows only what must never be, and what must come
//! about in the end. Failing programs are cut down to few steps by proptest, which also
//! takes `PROPTEST_CASES` for longer runs.

use lockutils::{AsyncGuard, Guard, Locks};
use lockutils_tests::{ByHand, in_time, states};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::iter;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// Few, so that programs come back to each.
const KEYS: usize = 3;

/// A holder or a waiter, by the number of the step it came with.
type Id = usize;

#[derive(Clone, Debug)]
struct Request {
    /// In any order; if there are several they are taken together.
    keys: Vec<usize>,
    shared: bool,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Try,
    /// With a timeout of zero, by a thread or by a task.
    Zero,
    ZeroAsync,
    /// By a thread that may hold the key.
    Reentrant,
    /// A future, which is polled once.
    Wait,
    /// With a timeout that is none.
    Endless,
}

/// A step; numbers of guards and waiters are taken modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    Take(Request, Way),
    Release(usize),
    Poll(usize),
    Cancel(usize),
    /// Asks of each key whether somebody holds it, for which all locks leave the fast path. So not after
    /// each step.
    Look,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Held,
    Refused,
    Waits,
}

// --- the model ---------------------------------------------------------------

/// Who holds a key, and who waits for it, first come first.
#[derive(Debug, Default)]
struct Lock {
    holders: Vec<Id>,
    /// Whether the present holders share it. So it stays until the last of them has
    /// gone, whoever went in again meanwhile.
    shared: bool,
    queue: VecDeque<Id>,
}

/// Somebody who has, or wants, some keys.
#[derive(Debug)]
struct Party {
    /// Sorted, each once; and how many of them it has.
    keys: Vec<usize>,
    has: usize,
    shared: bool,
    /// Whether it is this thread, and not a task.
    thread: bool,
    /// Whether it went in where its thread was already.
    inner: bool,
}

#[derive(Debug)]
struct Model {
    permits: usize,
    fair: bool,
    locks: [Lock; KEYS],
    parties: BTreeMap<Id, Party>,
}

impl Model {
    fn new(permits: usize, fair: bool) -> Self {
        Self {
            permits,
            fair,
            locks: Default::default(),
            parties: BTreeMap::new(),
        }
    }

    fn has_room_for(&self, key: usize, id: Id) -> bool {
        let Lock {
            holders, shared, ..
        } = &self.locks[key];
        // An inner hold counts as any, but can come on top of what the permits allow:
        // then those it is too many with have come before it, and may be unknown yet.
        let counts = |id: &&Id| self.fair || !self.parties[id].inner;
        match self.permits {
            1 => holders.is_empty() || *shared && self.parties[&id].shared,
            permits => holders.iter().filter(counts).count() < permits,
        }
    }

    /// Whether the thread has the key already, and more than shared if it asks for more.
    fn may_reenter(&self, key: usize, id: Id) -> bool {
        let Lock {
            holders, shared, ..
        } = &self.locks[key];
        let own = holders.iter().any(|holder| self.parties[holder].thread);
        own && (self.permits > 1 || self.parties[&id].shared || !shared)
    }

    fn add(&mut self, id: Id, request: &Request, way: Way) {
        let mut keys = request.keys.clone();
        keys.sort_unstable();
        keys.dedup();
        let party = Party {
            keys,
            has: 0,
            shared: request.shared,
            thread: matches!(way, Way::Try | Way::Zero | Way::Reentrant),
            inner: false,
        };
        self.parties.insert(id, party);
    }

    /// The key that somebody needs next.
    fn next_key(&self, id: Id) -> Option<usize> {
        let party = &self.parties[&id];
        party.keys.get(party.has).copied()
    }

    /// Whether a waiter has been handed the key that it waits for.
    fn is_next(&self, id: Id) -> bool {
        let key = self.next_key(id);
        key.is_some_and(|key| self.locks[key].holders.contains(&id))
    }

    /// Takes a key, if that is allowed.
    fn take(&mut self, key: usize, id: Id, reentrant: bool) -> bool {
        let inner = reentrant && self.may_reenter(key, id);
        if self.has_room_for(key, id) {
            self.locks[key].shared = self.parties[&id].shared;
        } else if !inner {
            return false;
        }
        self.parties.get_mut(&id).unwrap().inner = inner;
        self.locks[key].holders.push(id);
        true
    }

    /// Takes as many keys as it may, and queues for the next one. True if it has all.
    fn advance(&mut self, id: Id, reentrant: bool) -> bool {
        while let Some(key) = self.next_key(id) {
            // One that was handed over is there already.
            let nobody_before = self.locks[key].queue.is_empty();
            let has = self.locks[key].holders.contains(&id)
                || nobody_before && self.take(key, id, reentrant)
                || reentrant && self.may_reenter(key, id) && self.take(key, id, true);
            if !has {
                let queue = &mut self.locks[key].queue;
                if !queue.contains(&id) {
                    queue.push_back(id);
                }
                return false;
            }
            self.parties.get_mut(&id).unwrap().has += 1;
        }
        true
    }

    /// Lets go of all, and hands over to who is next.
    fn remove(&mut self, id: Id) {
        for key in self.parties[&id].keys.clone() {
            let lock = &mut self.locks[key];
            lock.holders.retain(|holder| *holder != id);
            lock.queue.retain(|waiter| *waiter != id);
            while let Some(&first) = self.locks[key].queue.front() {
                if !self.take(key, first, false) {
                    break;
                }
                self.locks[key].queue.pop_front();
            }
        }
        self.parties.remove(&id);
    }
}

// --- the engine --------------------------------------------------------------

enum Held {
    Thread(#[expect(dead_code, reason = "it is there to be dropped")] Guard),
    Task(#[expect(dead_code, reason = "it is there to be dropped")] AsyncGuard),
}

type Waiter = ByHand<Pin<Box<dyn Future<Output = AsyncGuard>>>>;

/// A program under way.
struct Run {
    locks: Locks,
    model: Model,
    held: Vec<(Id, Held)>,
    waits: Vec<(Id, Waiter)>,
}

impl Run {
    fn new(permits: u32, fair: bool) -> Self {
        let locks = if fair {
            Locks::new("fair model").fair()
        } else {
            Locks::new("unfair model")
        };
        Self {
            locks: locks.permits(permits),
            model: Model::new(permits as usize, fair),
            held: Vec::new(),
            waits: Vec::new(),
        }
    }

    fn step(&mut self, id: Id, step: &Step) {
        match step {
            Step::Take(request, way) => self.take(id, request, *way),
            Step::Release(number) => {
                if let Some(index) = number.checked_rem(self.held.len()) {
                    let (id, held) = self.held.swap_remove(index);
                    self.model.remove(id);
                    drop(held);
                }
            }
            Step::Look => self.look(),
            Step::Poll(number) => {
                if let Some(index) = number.checked_rem(self.waits.len()) {
                    let (id, waiter) = self.waits.swap_remove(index);
                    self.poll(id, waiter, false);
                }
            }
            Step::Cancel(number) => {
                if let Some(index) = number.checked_rem(self.waits.len()) {
                    let (id, waiter) = self.waits.swap_remove(index);
                    self.model.remove(id);
                    drop(waiter);
                }
            }
        }
        self.check_wake_ups();
    }

    fn take(&mut self, id: Id, request: &Request, way: Way) {
        self.model.add(id, request, way);
        let tried = match (way, &request.keys[..]) {
            (Way::Wait | Way::Endless, _) => {
                let waiter = ByHand::new(self.wait(request, way));
                return self.poll(id, waiter, true);
            }
            (_, [key]) => {
                let handle = self.locks.key(key);
                let handle = if request.shared {
                    handle.shared()
                } else {
                    handle
                };
                match way {
                    Way::Reentrant => handle.reentrant().try_lock().ok().map(Held::Thread),
                    Way::Zero => handle.lock_timeout(Duration::ZERO).ok().map(Held::Thread),
                    Way::ZeroAsync => zero(handle.lock_timeout_async(Duration::ZERO)),
                    _ => handle.try_lock().ok().map(Held::Thread),
                }
            }
            (_, keys) => {
                let handle = self.locks.keys(keys);
                let handle = if request.shared {
                    handle.shared()
                } else {
                    handle
                };
                match way {
                    Way::Zero => handle.lock_timeout(Duration::ZERO).ok().map(Held::Thread),
                    Way::ZeroAsync => zero(handle.lock_timeout_async(Duration::ZERO)),
                    _ => handle.try_lock().ok().map(Held::Thread),
                }
            }
        };
        let reentrant = matches!(way, Way::Reentrant) && request.keys.len() == 1;
        let answer = if tried.is_some() {
            Answer::Held
        } else {
            Answer::Refused
        };
        self.compare(id, answer, reentrant);
        match tried {
            Some(held) => self.held.push((id, held)),
            None => self.model.remove(id),
        }
    }

    fn wait(&self, request: &Request, way: Way) -> Pin<Box<dyn Future<Output = AsyncGuard>>> {
        let Request { keys, shared } = request;
        let endless = matches!(way, Way::Endless);
        if let [key] = &keys[..] {
            let handle = self.locks.key(key);
            let handle = if *shared { handle.shared() } else { handle };
            if endless {
                let wait = handle.lock_timeout_async(Duration::MAX);
                return Box::pin(async { wait.await.unwrap() });
            }
            return Box::pin(handle.lock_async());
        }
        let handle = self.locks.keys(keys);
        let handle = if *shared { handle.shared() } else { handle };
        if endless {
            let wait = handle.lock_timeout_async(Duration::MAX);
            return Box::pin(async { wait.await.unwrap() });
        }
        Box::pin(handle.lock_async())
    }

    fn poll(&mut self, id: Id, mut waiter: Waiter, first: bool) {
        let woken = !first && waiter.woken() > 0;
        match waiter.poll() {
            Poll::Ready(guard) => {
                self.compare(id, Answer::Held, false);
                self.held.push((id, Held::Task(guard)));
            }
            Poll::Pending => {
                assert!(!woken || self.model.parties[&id].keys.len() > 1 || !self.model.fair);
                self.compare(id, Answer::Waits, false);
                self.waits.push((id, waiter));
            }
        }
    }

    /// Tells the model what came of a request, after asking it whether that may be.
    fn compare(&mut self, id: Id, answer: Answer, reentrant: bool) {
        if self.model.fair {
            let held = self.model.advance(id, reentrant);
            let expected = match answer {
                _ if held => Answer::Held,
                Answer::Refused => Answer::Refused,
                _ => Answer::Waits,
            };
            assert_eq!(answer, expected, "of number {id}: {:#?}", self.model);
            return;
        }
        let keys = self.model.parties[&id].keys.clone();
        match answer {
            Answer::Held => {
                for key in keys {
                    let allowed = self.model.take(key, id, reentrant);
                    assert!(allowed, "number {id} is in: {:#?}", self.model);
                }
            }
            Answer::Refused | Answer::Waits => {
                let others = self.model.parties.iter().filter(|(other, _)| **other != id);
                let mut wanted = others.flat_map(|(_, party)| &party.keys);
                assert!(
                    wanted.any(|key| keys.contains(key)),
                    "nobody is in the way of number {id}: {:#?}",
                    self.model
                );
            }
        }
    }

    /// Who holds a key is seen to.
    fn look(&self) {
        for (key, lock) in self.model.locks.iter().enumerate() {
            if self.model.fair {
                let held = !lock.holders.is_empty();
                assert_eq!(self.locks.key(key).is_locked(), held, "{key}");
            } else if !lock.holders.is_empty() {
                assert!(self.locks.key(key).is_locked(), "{key}");
            }
        }
    }

    /// Who is next has been woken, after each step.
    fn check_wake_ups(&self) {
        if !self.model.fair {
            (0..KEYS).for_each(|key| self.check_wake_up(key));
            return;
        }
        for (id, waiter) in &self.waits {
            let woken = usize::from(self.model.is_next(*id));
            assert_eq!(waiter.woken(), woken, "number {id}: {:#?}", self.model);
        }
    }

    /// Somebody who waits for a key that nobody holds has been woken.
    fn check_wake_up(&self, key: usize) {
        let keys_of = |id| &self.model.parties[id].keys;
        let mut waits = self
            .waits
            .iter()
            .filter(|(id, _)| keys_of(id).contains(&key))
            .peekable();
        let is_awaited = waits.peek().is_some();
        let is_held = !self.model.locks[key].holders.is_empty();
        // Who waits for several may have this one, and wait for another.
        let is_on_its_way = waits.any(|(id, waiter)| keys_of(id).len() > 1 || waiter.woken() > 0);
        assert!(
            !is_awaited || is_held || is_on_its_way,
            "nobody is woken for {key}: {:#?}",
            self.model
        );
    }

    /// What the registry has of the space, as far as the model knows it.
    fn check_snapshot(&self) {
        let states = states(&self.locks);
        let waiters: usize = states.iter().map(|lock| lock.waiters).sum();
        if !self.model.fair {
            assert!(waiters <= self.waits.len());
            return;
        }
        for (key, lock) in self.model.locks.iter().enumerate() {
            let state = states
                .iter()
                .find(|state| state.key.as_str() == key.to_string());
            let (holders, waiters) =
                state.map_or((0, 0), |state| (state.holders.len(), state.waiters));
            assert_eq!(holders, lock.holders.len(), "holders of {key}");
            assert_eq!(waiters, lock.queue.len(), "waiters for {key}");
        }
    }

    /// All let go, and those who wait come in by their wake-ups alone: none is lost.
    fn wind_up(mut self) {
        while !(self.held.is_empty() && self.waits.is_empty()) {
            while let Some((id, held)) = self.held.pop() {
                self.model.remove(id);
                drop(held);
            }
            self.look();
            self.check_wake_ups();
            let woken = self.waits.iter().position(|(_, waiter)| waiter.woken() > 0);
            if let Some(index) = woken {
                self.step(Id::MAX, &Step::Poll(index));
            } else {
                assert!(self.waits.is_empty(), "nobody is woken: {:#?}", self.model);
            }
        }
        assert!(states(&self.locks).is_empty(), "{:#?}", states(&self.locks));
    }
}

/// The answer of a future that doesn't wait.
fn zero(wait: lockutils::LockTimeoutFuture) -> Option<Held> {
    let Poll::Ready(taken) = ByHand::new(wait).poll() else {
        panic!("a timeout of zero is no wait");
    };
    taken.ok().map(Held::Task)
}

// --- the programs ------------------------------------------------------------

fn request() -> impl Strategy<Value = Request> {
    let keys = prop_oneof![
        3 => vec(0..KEYS, 1),
        1 => vec(0..KEYS, 2..=4),
    ];
    (keys, any::<bool>()).prop_map(|(keys, shared)| Request { keys, shared })
}

fn step() -> impl Strategy<Value = Step> {
    let way = prop_oneof![
        2 => Just(Way::Try),
        1 => Just(Way::Zero),
        1 => Just(Way::ZeroAsync),
        1 => Just(Way::Reentrant),
        6 => Just(Way::Wait),
        1 => Just(Way::Endless),
    ];
    prop_oneof![
        6 => (request(), way).prop_map(|(request, way)| Step::Take(request, way)),
        4 => (0_usize..100).prop_map(Step::Release),
        4 => (0_usize..100).prop_map(Step::Poll),
        1 => (0_usize..100).prop_map(Step::Cancel),
        1 => Just(Step::Look),
    ]
}

fn run(permits: u32, fair: bool, program: &[Step]) {
    let mut run = Run::new(permits, fair);
    for (id, step) in iter::zip(0.., program) {
        run.step(id, step);
    }
    run.check_snapshot();
    run.wind_up();
}

proptest! {
    // A failing program is in the message; a file of them would be one more to keep.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fair_space_does_what_the_model_does(
        permits in 1_u32..=3,
        program in vec(step(), 0..40),
    ) {
        in_time(move || run(permits, true, &program));
    }

    #[test]
    fn unfair_space_does_only_what_the_model_allows(
        permits in 1_u32..=3,
        program in vec(step(), 0..40),
    ) {
        in_time(move || run(permits, false, &program));
    }
}
