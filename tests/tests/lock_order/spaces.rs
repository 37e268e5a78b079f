//! Locks of several spaces.

use super::{panic_of, run};
use lockutils::{Locks, named};
use lockutils_tests::{eventually, waiters};
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;

/// Runs a future to its end, in one task of its own.
fn task<F: Future>(name: &str, future: F) -> F::Output {
    pollster::block_on(named(name.to_owned(), future))
}

#[test]
fn two_threads_that_never_meet_are_told_word_for_word() {
    static CELLS: Locks = Locks::new("cells");
    static IMAGES: Locks = Locks::new("images");
    run(|| {
        let _cell = CELLS.key("2f1c").lock();
        let _image = IMAGES.key("9a").lock();
    });
    let line = line!();
    let text = panic_of("worker-3", || {
        let _image = IMAGES.key("7").lock();
        let _cell = CELLS.key("81d0").lock();
    });
    let at = |line| format!("({}:{line})", file!());
    let (first, second) = (at(line - 3), at(line - 2));
    let (third, fourth) = (at(line + 2), at(line + 3));
    let expected = format!(
        "lockutils: locks are taken in two orders, which will deadlock one day:\n  \
         cells/2f1c {first} and then images/9a {second}, in thread \"in order\"\n  \
         images/7   {third} and then cells/81d0 {fourth}, in thread \"worker-3\""
    );
    assert_eq!(text, Some(expected));
    // The one who panicked has nothing.
    assert!(!IMAGES.key("7").is_locked());
    assert!(!CELLS.key("81d0").is_locked());
    // It is told once.
    run(|| {
        let _image = IMAGES.key("7").lock();
        let _cell = CELLS.key("81d0").lock();
    });
}

#[test]
fn tasks_are_seen_across_awaits() {
    static A: Locks = Locks::new("a of tasks");
    static B: Locks = Locks::new("b of tasks");
    run(|| {
        task("first", async {
            let _a = A.key(1).lock_async().await;
            let _b = B.key(1).lock_async().await;
        });
    });
    let text = panic_of("executor", || {
        task("gc", async {
            let _b = B.key(2).lock_async().await;
            let _a = A.key(2).lock_async().await;
        });
    });
    let text = text.unwrap();
    assert!(text.contains(", in task \"first\"\n"), "{text}");
    assert!(text.ends_with(", in task \"gc\""), "{text}");
    assert!(!B.key(2).is_locked());
}

#[test]
fn thread_and_task_are_seen_together() {
    static A: Locks = Locks::new("a of both");
    static B: Locks = Locks::new("b of both");
    run(|| {
        let _a = A.key(1).lock();
        let _b = B.key(1).lock();
    });
    let text = panic_of("executor", || {
        task("gc", async {
            let _b = B.key(1).lock_async().await;
            let _a = A.key(1).lock_async().await;
        });
    });
    assert!(text.unwrap().contains("in task \"gc\""));
}

#[test]
fn cycle_over_a_third_space_is_told_with_each_step() {
    static A: Locks = Locks::new("a of three");
    static B: Locks = Locks::new("b of three");
    static C: Locks = Locks::new("c of three");
    for (held, asked) in [(&A, &B), (&B, &C)] {
        run(|| {
            let _held = held.key("key").lock();
            let _asked = asked.key("key").lock();
        });
    }
    let text = panic_of("third", || {
        let _c = C.key("key").lock();
        let _a = A.key("key").lock();
    });
    let text = text.unwrap();
    let names = text.lines().skip(1).map(|line| {
        let (held, asked) = line.split_once(" and then ").unwrap();
        let name = |text: &str| {
            text.trim()
                .split_once("/key")
                .map(|(name, _)| name.to_owned())
        };
        (name(held).unwrap(), name(asked).unwrap())
    });
    let names: Vec<_> = names.collect();
    let quoted = |name| format!("\"{name} of three");
    let pair = |held, asked| (quoted(held), quoted(asked));
    assert_eq!(names, [pair("a", "b"), pair("b", "c"), pair("c", "a")]);
}

#[test]
fn shared_holds_and_permits_count() {
    static A: Locks = Locks::new("a shared");
    static B: Locks = Locks::new("b counted").permits(3);
    run(|| {
        let _a = A.key(1).shared().lock();
        let _b = B.key(1).lock();
    });
    let text = panic_of("second", || {
        let _b = B.key(1).lock();
        let _a = A.key(1).shared().lock();
    });
    assert!(text.is_some());
}

#[test]
fn try_gives_no_order_but_holds() {
    static A: Locks = Locks::new("a of tries");
    static B: Locks = Locks::new("b of tries");
    run(|| {
        let _a = A.key(1).lock();
        let _b = B.key(1).try_lock().unwrap();
    });
    // The other order is the only one by which anybody waits.
    run(|| {
        let _b = B.key(1).lock();
        let _a = A.key(1).lock();
    });
    let text = panic_of("second", || {
        let _a = A.key(1).try_lock().unwrap();
        let _b = B.key(1).lock();
    });
    assert!(text.is_some());
}

#[test]
fn timeout_gives_an_order() {
    static A: Locks = Locks::new("a with a timeout");
    static B: Locks = Locks::new("b with a timeout");
    let long = lockutils_tests::LIMIT;
    run(|| {
        let _a = A.key(1).lock_timeout(long).unwrap();
        let _b = B.key(1).lock_timeout(long).unwrap();
    });
    let text = panic_of("second", || {
        let _b = B.key(1).lock_timeout(long).unwrap();
        let _a = A.key(1).lock_timeout(long);
    });
    assert!(text.is_some());
}

#[test]
fn guard_that_was_sent_on_is_nobodys() {
    static A: Locks = Locks::new("a sent on");
    static B: Locks = Locks::new("b sent on");
    run(|| {
        let a = A.key(1).lock().into_async();
        let _b = B.key(1).lock();
        drop(a);
    });
    run(|| {
        let _b = B.key(1).lock();
        let _a = A.key(1).lock();
    });
}

#[test]
fn lock_that_is_handed_over_is_held() {
    static A: Locks = Locks::new("a handed over").fair();
    static B: Locks = Locks::new("b handed over");
    super::watch();
    let guard = A.key(1).lock();
    let mut next = pin!(async {
        let _a = A.key(1).lock_async().await;
        let _b = B.key(1).lock_async().await;
    });
    let mut context = Context::from_waker(Waker::noop());
    assert!(next.as_mut().poll(&mut context).is_pending());
    drop(guard);
    assert!(next.as_mut().poll(&mut context).is_ready());
    let text = panic_of("second", || {
        let _b = B.key(1).lock();
        let _a = A.key(1).lock();
    });
    assert!(text.is_some());
}

#[test]
fn those_who_wait_behind_who_panics_go_on() {
    static A: Locks = Locks::new("a waited for");
    static B: Locks = Locks::new("b waited for");
    run(|| {
        let _a = A.key(1).lock();
        let _b = B.key(1).lock();
    });
    let ends = thread::scope(|scope| {
        let second = scope.spawn(|| {
            panic_of("second", || {
                let _b = B.key(1).lock();
                eventually("another one waits for what it has", || waiters(&B) == 1);
                let _a = A.key(1).lock();
            })
        });
        eventually("it has that", || B.key(1).is_locked());
        let behind = scope.spawn(|| drop(B.key(1).lock()));
        behind.join().unwrap();
        second.join().unwrap()
    });
    assert!(ends.is_some());
}

/// Takes the locks in the second order when it is dropped.
struct SecondOrder(&'static Locks, &'static Locks);

impl Drop for SecondOrder {
    fn drop(&mut self) {
        let _b = self.1.key(1).lock();
        let _a = self.0.key(1).lock();
    }
}

#[test]
fn panic_that_goes_on_is_not_made_two() {
    static A: Locks = Locks::new("a of a destructor");
    static B: Locks = Locks::new("b of a destructor");
    run(|| {
        let _a = A.key(1).lock();
        let _b = B.key(1).lock();
    });
    let text = panic_of("second", || {
        let _second = SecondOrder(&A, &B);
        panic!("{}", "another one");
    });
    assert_eq!(text.as_deref(), Some("another one"));
    assert!(!B.key(1).is_locked());
}

#[test]
fn spaces_that_are_called_the_same_are_two() {
    static A: Locks = Locks::new("twins");
    static B: Locks = Locks::new("twins");
    static C: Locks = Locks::new("c of twins");
    run(|| {
        let _a = A.key(1).lock();
        let _c = C.key(1).lock();
    });
    run(|| {
        let _c = C.key(1).lock();
        let _b = B.key(1).lock();
    });
}

#[test]
fn keys_of_the_process_wide_space_are_classes() {
    run(|| {
        let _vm = lockutils::lock("lock order/vm");
        let _image = lockutils::lock("lock order/image");
        let _cell = lockutils::lock("lock order/a cell");
    });
    let text = panic_of("second", || {
        let _cell = lockutils::lock("lock order/a cell");
        let _vm = lockutils::lock("lock order/vm");
    });
    let text = text.unwrap();
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.ends_with("use keys([..]), which takes them in one order"));
}
