//! Which causes are found among locks with many holders, and how much of a crowd is shown.

use super::{CAUSES, Cause, Report, report};
use crate::future::LockFuture;
use crate::guard::AsyncGuard;
use crate::local::Locks;
use crate::name::Keys;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

/// A task, which is known by its waker.
struct Task(Waker);

struct Calls;

impl Wake for Calls {
    fn wake(self: Arc<Self>) {}
}

impl Task {
    fn new() -> Self {
        Self(Waker::from(Arc::new(Calls)))
    }

    fn poll(&self, mut future: LockFuture) -> Result<AsyncGuard, LockFuture> {
        match Pin::new(&mut future).poll(&mut Context::from_waker(&self.0)) {
            Poll::Ready(guard) => Ok(guard),
            Poll::Pending => Err(future),
        }
    }

    fn take(&self, future: LockFuture) -> AsyncGuard {
        self.poll(future).expect("there is room")
    }

    fn wait(&self, future: LockFuture) -> LockFuture {
        self.poll(future).expect_err("it is busy")
    }
}

/// What keeps a lock from being released. Not a report of all locks, in which there is no room for it beside those of
/// other tests.
fn cause(space: &str, key: &str) -> Option<Cause> {
    let report = Report::look(Keys::Plain, Some((space, key)));
    assert!(report.causes.len() <= 1);
    report.causes.into_iter().next()
}

/// Of two readers one is in a cycle with the writer, and the other one is not in its way for ever.
#[test]
fn cycle_through_one_of_two_readers_is_a_deadlock() {
    let locks = Locks::new("report: readers");
    let [reader, writer, bystander] = [(); 3].map(|()| Task::new());
    let _held = [&bystander, &reader].map(|task| task.take(locks.key("a").shared().lock_async()));
    let _own = writer.take(locks.key("b").lock_async());
    let _waits = [
        writer.wait(locks.key("a").lock_async()),
        reader.wait(locks.key("b").lock_async()),
    ];
    let cause = cause("report: readers", "a").expect("there is one");
    assert!(cause.deadlock().is_some(), "{cause}");
    assert_eq!(cause.waiters(), 2);
}

/// The same of permits, of which the other one comes back.
#[test]
fn cycle_through_one_of_two_permits_is_none() {
    let locks = Locks::new("report: permits").permits(2);
    let own = Locks::new("report: own");
    let [holder, waiter, bystander] = [(); 3].map(|()| Task::new());
    let _held = [&holder, &bystander].map(|task| task.take(locks.key("a").lock_async()));
    let _own = waiter.take(own.key("b").lock_async());
    let _waits = [
        waiter.wait(locks.key("a").lock_async()),
        holder.wait(own.key("b").lock_async()),
    ];
    // That behind it is no cause of its own.
    let of_both = [("report: permits", "a"), ("report: own", "b")];
    let of_both = of_both.map(|(space, key)| cause(space, key).expect("there is one"));
    let [cause, same] = of_both;
    assert!(cause.deadlock().is_none(), "{cause}");
    for found in [&cause, &same] {
        assert_eq!((found.space(), found.waiters()), ("report: permits", 2));
    }
    let text = cause.to_string();
    assert!(text.contains(", and holds \"report: own/b\""), "{text}");
}

#[test]
fn crowd_is_shown_in_part() {
    let locks = Locks::new("report: crowd");
    let tasks: Vec<_> = (0..100).map(|_| Task::new()).collect();
    let _held: Vec<_> = (0..100)
        .map(|key| tasks[0].take(locks.key(key).lock_async()))
        .collect();
    let _waits: Vec<_> = (1..100)
        .map(|key| tasks[key].wait(locks.key(key).lock_async()))
        .collect();
    let report = report();
    assert_eq!(report.causes().len(), CAUSES);
    let text = report.to_string();
    let (_, end) = text.rsplit_once("\n\n").unwrap();
    assert!(end.ends_with(" more are left off."), "{end}");
}

/// They wait in one place, and each holds what another one waits for.
#[test]
fn queue_is_shown_in_part() {
    let locks = Locks::new("report: queue");
    let tasks: Vec<_> = (0..100).map(|_| Task::new()).collect();
    let _guard = tasks[0].take(locks.key(0).lock_async());
    let _waits: Vec<_> = (1..50)
        .map(|key| {
            let own = tasks[key].take(locks.key(key).lock_async());
            let wait = tasks[key].wait(locks.key(0).lock_async());
            (own, wait, tasks[key + 49].wait(locks.key(key).lock_async()))
        })
        .collect();
    let cause = cause("report: queue", "0").expect("there is one");
    assert_eq!(cause.waiters(), 98);
    let text = cause.to_string();
    assert!(text.ends_with("\n   └─ 82 more"), "{text}");
}

/// The cause once somebody waits in another thread.
fn cause_of_waiting_thread(locks: &Locks) -> Cause {
    loop {
        if let Some(cause) = cause(locks.name(), "a").filter(|cause| cause.waiters() > 0) {
            return cause;
        }
        thread::yield_now();
    }
}

#[test]
fn place_that_blocks_a_thread_for_a_task_is_named() {
    let locks = Locks::new("report: blocks");
    let [holder, waiter] = [(); 2].map(|()| Task::new());
    let held = holder.take(locks.key("a").lock_async());
    let waits = waiter.wait(locks.key("a").lock_async());
    let text = cause(locks.name(), "a").expect("there is one").to_string();
    assert!(!text.contains(" blocks a thread "), "{text}");
    drop(waits);
    thread::scope(|scope| {
        scope.spawn(|| drop(locks.key("a").lock()));
        let text = cause_of_waiting_thread(&locks).to_string();
        let line = text.lines().find(|line| line.contains(" blocks a thread "));
        let place = line.unwrap_or_else(|| panic!("{text}")).trim_start();
        assert!(place.starts_with(file!()), "{text}");
        drop(held);
    });
}

#[test]
fn thread_that_has_gone_in_again_is_one_holder() {
    let locks = Locks::new("report: again");
    let first = locks.key("a").lock();
    let again = locks.key("a").reentrant().lock();
    thread::scope(|scope| {
        scope.spawn(|| drop(locks.key("a").lock()));
        let text = cause_of_waiting_thread(&locks).to_string();
        let head = text.lines().next().expect("a line");
        assert!(head.contains(", held 2 times by "), "{text}");
        assert!(!head.contains(" more"), "{text}");
        drop((first, again));
    });
}
