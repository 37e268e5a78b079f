//! Several processes, and several spaces of one process at one place.

use crate::by_hand::ByHand;
use crate::limit::{eventually, yield_now};
use crate::other::{circle, contend};
use crate::process::Process;
use crate::subject::Subject;
use crate::take::{KEY, SHORT, hold, hold_async, is_free, one_thread, try_hold, try_on, wait};
use crate::test::Test;
use futures::future;
use lockutils::ErrorKind;
use lockutils::engine::{Mode, Space};
use std::any::Any;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

fn wait_a_while() {
    let start = Instant::now();
    eventually("the clock goes on", || start.elapsed() >= SHORT);
}

/// Waits for a short time, and gives the error.
fn late<S: Space>(space: &S) -> ErrorKind {
    let waited = wait(space, KEY, Mode::Exclusive).block_for(SHORT);
    waited.map(drop).unwrap_err().kind()
}

/// Waits until the lock that another one has released can be had: that a guard is dropped, a
/// server may be told a little later.
fn becomes_free<S: Space>(space: &S) {
    eventually("the release arrives", || is_free(space, KEY));
}

/// The same for another process, which then holds it.
fn becomes_free_for(other: &mut Process) {
    eventually("the release arrives", || other.ask("try key") == "held");
}

/// Spaces at one place have the same locks, in one process too.
pub fn spaces_at_one_place_exclude_each_other<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (one, other) = (S::space(&place), S::space(&place));
    let guard = hold(&one, KEY);
    assert!(!is_free(&other, KEY));
    assert!(is_free(&other, "another"));
    let mut waiter = ByHand::new(hold_async(&other, KEY));
    assert!(waiter.poll().is_pending());
    drop(guard);
    let guard = waiter.finish();
    assert!(!is_free(&one, KEY));
    drop(guard);
    becomes_free(&one);
}

/// Threads and tasks of three processes are inside one after the other.
pub fn processes_exclude_each_other<S: Subject>(test: &Test<S>) {
    const ROUNDS: usize = 50;
    let place = test.place();
    let file = test.place().join("inside");
    let mut others = [test.process(&place), test.process(&place)];
    for other in &mut others {
        other.tell(&format!("contend {ROUNDS} {}", file.display()));
    }
    contend::<S>(&S::space(&place), ROUNDS, &file);
    for other in &others {
        other.hear_of("done");
    }
}

/// A lock that another process holds, by a thread or a task, isn't to be had by a try or within
/// a timeout; and the other way round.
pub fn other_process_is_refused_until_the_release<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (space, mut other) = (S::space(&place), test.process(&place));
    for command in ["hold key", "task key"] {
        other.ask_for(command, "asks");
        other.hear_of("held");
        let error = try_hold(&space, KEY).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert_eq!(error.key(), Some(KEY));
        let tried = pollster::block_on(wait(&space, KEY, Mode::Exclusive).try_async());
        assert_eq!(tried.map(drop).unwrap_err().kind(), ErrorKind::Busy);
        assert_eq!(late(&space), ErrorKind::Timeout);
        let waited = pollster::block_on(wait(&space, KEY, Mode::Exclusive).timed(SHORT));
        assert_eq!(waited.map(drop).unwrap_err().kind(), ErrorKind::Timeout);
        assert!(is_free(&space, "another"));
        other.ask_for("release", "released");
        becomes_free(&space);
    }
    let guard = hold(&space, KEY);
    other.ask_for("try key", "busy");
    other.ask_for("timeout key", "late");
    other.ask_for("try another", "held");
    drop(guard);
    becomes_free_for(&mut other);
    assert!(!is_free(&space, KEY));
}

/// Who is refused, or gives up at once, is told who has the lock: another space of this process, or
/// another process.
pub fn holder_is_named_to_who_is_refused<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (space, elsewhere) = (S::space(&place), S::space(&place));
    let mut other = test.process(&place);
    let is_told = |holder: u32| {
        let tried = || wait(&space, KEY, Mode::Exclusive);
        let errors = [
            tried().try_now().map(drop),
            pollster::block_on(tried().try_async()).map(drop),
            tried().block_for(Duration::ZERO).map(drop),
            pollster::block_on(tried().timed(Duration::ZERO)).map(drop),
        ];
        for error in errors.map(Result::unwrap_err) {
            let named = error.holder().expect("the holder is known");
            match named.pid() {
                Some(pid) => assert_eq!(pid, holder, "{error}"),
                // Where the spaces of this process have one queue in it, its place says more.
                None => assert!(
                    holder == process::id() && named.place().is_some(),
                    "{error}"
                ),
            }
        }
    };
    let guard = hold(&elsewhere, KEY);
    is_told(process::id());
    other.ask_for("hold key", "asks");
    drop(guard);
    other.hear_of("held");
    is_told(other.id());
    other.ask_for("release", "released");
}

/// A thread and a task of another process wait until a thread or a task of this one lets go.
pub fn other_process_waits_for_the_release<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (space, mut other) = (S::space(&place), test.process(&place));
    for command in ["hold key", "task key"] {
        for by_task in [false, true] {
            let guard: Box<dyn Any> = if by_task {
                Box::new(one_thread().block_on(hold_async(&space, KEY)))
            } else {
                Box::new(hold(&space, KEY))
            };
            other.ask_for(command, "asks");
            wait_a_while();
            assert!(other.is_silent(), "it has the lock that is held here");
            drop(guard);
            other.hear_of("held");
            assert!(!is_free(&space, KEY));
            other.ask_for("release", "released");
            becomes_free(&space);
        }
    }
}

/// While a task waits for a lock of another process, other tasks of its thread run; it is one
/// of them that has the lock released.
pub fn task_that_waits_for_a_process_does_not_stall_its_thread<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (space, mut other) = (S::space(&place), test.process(&place));
    other.ask_for("hold key", "asks");
    other.hear_of("held");
    let waiter = hold_async(&space, KEY);
    let releases = async {
        for _ in 0..100 {
            yield_now().await;
        }
        other.tell("release");
    };
    drop(one_thread().block_on(future::join(waiter, releases)));
    other.hear_of("released");
    becomes_free(&space);
}

/// A task that no longer waits for a lock of another process isn't given it later.
pub fn cancelled_wait_for_a_process_holds_nothing<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (space, mut other) = (S::space(&place), test.process(&place));
    for _ in 0..20 {
        other.ask_for("hold key", "asks");
        other.hear_of("held");
        let mut waiter = ByHand::new(hold_async(&space, KEY));
        assert!(waiter.poll().is_pending());
        // Told before it is dropped, so that the two may meet.
        other.tell("release");
        drop(waiter);
        other.hear_of("released");
        other.ask_for("hold key", "asks");
        other.hear_of("held");
        other.ask_for("release", "released");
    }
    becomes_free(&space);
}

/// Sharers of several processes are inside together, and keep exclusive ones out.
pub fn processes_share_a_lock<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let (space, mut other) = (S::space(&place), test.process(&place));
    other.ask_for("share key", "asks");
    other.hear_of("held");
    let shared = || try_on(&space, KEY, Mode::Shared);
    let guard = shared().unwrap();
    assert!(!is_free(&space, KEY));
    other.ask_for("release", "released");
    other.ask_for("try key", "busy");
    drop(guard);
    becomes_free_for(&mut other);
    assert!(shared().is_err());
    other.ask_for("release", "released");
    eventually("the release arrives", || shared().is_ok());
}

/// Processes that name the same keys in different orders wait for each other, and not in a
/// circle.
pub fn keys_in_any_order_do_not_deadlock_across_processes<S: Subject>(test: &Test<S>) {
    const ROUNDS: usize = 50;
    let place = test.place();
    let mut others = ["a b c", "c b a"].map(|keys| (test.process(&place), keys));
    for (other, keys) in &mut others {
        other.tell(&format!("circle {ROUNDS} {keys}"));
    }
    circle::<S>(&S::space(&place), ROUNDS, &["b", "c", "a"]);
    for (other, _) in &others {
        other.hear_of("done");
    }
}

/// A process that is killed while it waits gets no lock.
pub fn killed_waiter_leaves_the_lock_to_others<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let space = S::space(&place);
    for command in ["hold key", "task key"] {
        let mut waiter = test.process(&place);
        // By a task, for whom this thread can wait.
        let guard = one_thread().block_on(hold_async(&space, KEY));
        waiter.ask_for(command, "asks");
        assert_eq!(late(&space), ErrorKind::Timeout);
        waiter.kill();
        drop(guard);
        drop(hold(&space, KEY));
        assert!(is_free(&space, KEY));
    }
}

/// A process that is killed while it holds a lock frees it, for those who wait already and for
/// those who come.
pub fn killed_holder_frees_the_lock<S: Subject>(test: &Test<S>) {
    let place = test.place();
    let space = S::space(&place);
    for command in ["hold key", "task key"] {
        let mut holder = test.process(&place);
        holder.ask_for(command, "asks");
        holder.hear_of("held");
        let mut task = ByHand::new(hold_async(&space, KEY));
        assert!(task.poll().is_pending());
        thread::scope(|scope| {
            let thread = scope.spawn(|| drop(hold(&space, KEY)));
            holder.kill();
            drop(task.finish());
            thread.join().unwrap();
        });
        assert!(is_free(&space, KEY));
    }
}
