//! What is promised of the agent itself: that it ends, and what becomes of holds and askers if it
//! doesn't run.

use crate::Remote;
use crate::fake::FakeStore;
use crate::space::FromUrl as _;
use lockutils::{ErrorKind, LockState};
use lockutils_conformance::{eventually, in_time};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(1);

fn locks(name: &str) -> Remote<FakeStore> {
    let store = FakeStore::from_url(&format!("memory://agent-{name}")).unwrap();
    Remote::of(store).ttl(LEASE)
}

#[test]
fn panic_of_the_agent_loses_holds_and_refuses_askers() {
    let locks = locks("panic");
    let guard = locks.key("held").lock().unwrap();
    let other = locks.clone().prefix("lockutils");
    let busy = other.key("busy").lock().unwrap();
    let waiting = thread::spawn({
        let locks = locks.clone();
        move || locks.key("busy").lock().unwrap_err().kind()
    });
    eventually("it waits", || {
        other
            .states()
            .unwrap()
            .iter()
            .any(|state| state.waiters == 1)
    });
    locks.engine().agent().panic();
    assert_eq!(
        in_time(move || waiting.join().unwrap()),
        ErrorKind::Unavailable
    );
    let lost = guard.lost();
    in_time(move || pollster::block_on(lost));
    assert!(guard.is_lost());
    assert_eq!(guard.release().unwrap_err().kind(), ErrorKind::Lost);
    drop(busy);
    // The next question starts another one, and the lock is had when its lease is over.
    in_time(move || drop(locks.key("held").lock().unwrap()));
}

/// As after a pause of the whole process: nobody has told the guard.
#[test]
fn lock_is_lost_by_the_clock_while_the_agent_stands_still() {
    let locks = locks("sleep");
    let guard = locks.key("key").lock().unwrap();
    let pause = locks.engine().agent().pause();
    eventually("it is lost", || guard.is_lost());
    assert_eq!(guard.check().unwrap_err().kind(), ErrorKind::Lost);
    drop(pause);
    let lost = guard.lost();
    in_time(move || pollster::block_on(lost));
    assert_eq!(guard.release().unwrap_err().kind(), ErrorKind::Lost);
    in_time(move || drop(locks.key("key").lock().unwrap()));
}

#[test]
fn agent_ends_with_the_last_clone_and_the_last_guard() {
    let locks = locks("end").prefix("end");
    let clone = locks.clone();
    let guard = locks.key("key").lock().unwrap();
    let store = Arc::downgrade(locks.engine().store());
    drop(locks);
    drop(clone.key("other").lock().unwrap());
    drop(clone);
    assert!(!guard.is_lost());
    assert!(store.upgrade().is_some());
    drop(guard);
    // The agent has the store too.
    eventually("it has ended", || store.upgrade().is_none());
}

#[test]
fn fork_is_refused_and_sends_nothing() {
    let locks = locks("fork");
    let guard = locks.key("held").lock().unwrap();
    locks.engine().fork();
    // Also of what somebody else of the parent has, who isn't there to release it.
    for key in ["key", "held"] {
        let locks = locks.clone();
        let error = in_time(move || locks.key(key).lock().unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("fork"), "{error}");
    }
    assert_eq!(locks.states().unwrap_err().kind(), ErrorKind::Unavailable);
    locks.close(Duration::ZERO).unwrap();
    drop(guard);
}

#[test]
fn agent_may_be_started_and_asked_from_a_task() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let locks = locks("task");
    runtime.block_on(async {
        let guard = locks.key("key").lock_async().await.unwrap();
        guard.release_async().await.unwrap();
        locks.states_async().await.unwrap();
    });
}

#[test]
fn many_threads_and_keys_have_one_connection() {
    let locks = locks("many").ttl(Duration::from_secs(600));
    in_time(move || {
        let (send, fences) = mpsc::channel();
        thread::scope(|scope| {
            for thread in 0..8 {
                let (locks, send) = (&locks, send.clone());
                scope.spawn(move || {
                    for key in 0..250 {
                        let guard = locks.key((thread, key)).lock().unwrap().into_async();
                        send.send(guard).unwrap();
                    }
                });
            }
        });
        drop(send);
        let guards: Vec<_> = fences.iter().collect();
        assert_eq!(locks.states().unwrap().len(), 2000);
        drop(guards);
        locks.close(Duration::from_secs(60)).unwrap();
        assert!(locks.states().unwrap().is_empty());
    });
}

/// Its name at the server has the prefix in it, and may be a number.
#[test]
fn lock_is_called_by_its_key_in_the_process() {
    let locks = locks("called").prefix("own");
    let of_space = |lock: &LockState| lock.space == locks.name();
    let called = || lockutils::snapshot().into_iter().find(of_space);
    let key = |lock: Option<LockState>| lock.map(|lock| lock.key.to_string());
    let guard = locks.key("held").lock().unwrap();
    assert_eq!(key(called()).as_deref(), Some("held"));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| locks.key("held").lock().unwrap().fence());
        eventually("it waits", || {
            called().is_some_and(|lock| lock.waiters == 1)
        });
        let report = lockutils::report();
        let mut causes = report.causes().iter();
        let cause = causes.find(|cause| cause.space() == locks.name()).unwrap();
        let name = format!("{}/held, held by ", locks.name());
        assert!(cause.to_string().starts_with(&name), "{cause}");
        drop(guard);
        waiting.join().unwrap();
    });
}
