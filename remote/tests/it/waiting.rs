//! Who waits for a lock: in the process first, then at the server.

use crate::{LONG, locks};
use lockutils::{ErrorKind, synchronized};
use lockutils_conformance::{ByHand, Recorder, eventually, in_time, until_holder_is_told};
use lockutils_remote::FakeLocks;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long the server takes for an answer, where a test counts answers: longer than what else there is to
/// do takes on a busy machine.
const SLOW: Duration = Duration::from_secs(6);

#[test]
fn lock_that_is_free_takes_one_round_trip_and_its_release_none() {
    let locks = locks();
    drop(locks.key("warm").lock().unwrap());
    locks.close(LONG).unwrap();
    drop(locks.key("warm").lock().unwrap());
    locks.server().delay(SLOW);
    let start = Instant::now();
    let guard = locks.key("key").lock().unwrap();
    let took = start.elapsed();
    assert!(took >= SLOW && took < 2 * SLOW, "{took:?}");
    let start = Instant::now();
    drop(guard);
    assert!(start.elapsed() < SLOW);
    // The next one asks behind the release, and doesn't wait for its answer.
    let start = Instant::now();
    drop(locks.key("key").try_lock().unwrap());
    let took = start.elapsed();
    assert!(took >= SLOW && took < 2 * SLOW, "{took:?}");
}

#[test]
fn spaces_of_one_server_exclude_each_other() {
    let locks = locks();
    let spaces = [locks.clone(), locks.other_process(), locks.other_process()];
    let recorder = Recorder::default();
    in_time(move || {
        thread::scope(|scope| {
            for space in &spaces {
                for _ in 0..2 {
                    scope.spawn(|| {
                        for _ in 0..20 {
                            let _guard = space.key("key").lock().unwrap();
                            let _stay = recorder.enter();
                        }
                    });
                }
            }
        });
    });
}

#[test]
fn spaces_of_other_servers_and_prefixes_have_other_locks() {
    let locks = locks();
    let _guard = locks.key("b/c").lock().unwrap();
    for other in [
        FakeLocks::new(),
        locks.clone().prefix("other"),
        locks.clone().prefix(""),
        locks.clone().prefix("lockutils/b"),
    ] {
        let key = if other.name().ends_with("/b") {
            "c"
        } else {
            "b/c"
        };
        assert!(other.key(key).try_lock().is_ok(), "{other:?}");
    }
    assert!(locks.other_process().key("b/c").try_lock().is_err());
}

#[test]
fn processes_get_the_lock_in_the_order_in_which_they_came() {
    let locks = locks();
    let guard = locks.key("key").lock().unwrap();
    let mut processes = Vec::new();
    let (send, order) = mpsc::channel();
    for number in 0..4 {
        let (other, send) = (locks.other_process(), send.clone());
        processes.push(thread::spawn(move || {
            let guard = other.key("key").lock().unwrap();
            send.send(number).unwrap();
            drop(guard);
        }));
        eventually("it waits", || {
            locks.states().unwrap()[0].waiters == number + 1
        });
    }
    drop(guard);
    in_time(move || {
        let order: Vec<_> = order.iter().take(4).collect();
        assert_eq!(order, [0, 1, 2, 3]);
    });
    for process in processes {
        process.join().unwrap();
    }
}

#[test]
fn waiters_of_one_process_ask_one_at_a_time() {
    let locks = locks();
    let other = locks.other_process();
    let guard = other.key("key").lock().unwrap();
    let mut waiters: Vec<_> = (0..100)
        .map(|_| ByHand::new(locks.key("key").lock_async()))
        .collect();
    assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_pending()));
    eventually("one of them waits at the server", || {
        other.states().unwrap()[0].waiters == 1
    });
    drop(guard);
    in_time(move || {
        let mut last = 0;
        for waiter in waiters {
            let guard = waiter.finish().unwrap();
            assert!(guard.fence().get() > last);
            last = guard.fence().get();
        }
    });
}

#[test]
fn answer_to_somebody_who_has_gone_gives_the_lock_back() {
    let locks = locks();
    let other = locks.other_process();
    drop(other.key("warm").lock().unwrap());
    locks.server().delay(Duration::from_millis(100));
    // Before there is a connection, before the answer, and when it was not looked at.
    for wait in [0, 50, 250] {
        let mut waiter = ByHand::new(locks.key("key").lock_async());
        assert!(waiter.poll().is_pending());
        let start = Instant::now();
        eventually("it is time", || {
            start.elapsed() > Duration::from_millis(wait)
        });
        drop(waiter);
        let guard = in_time({
            let other = other.clone();
            move || pollster::block_on(other.key("key").lock_async()).unwrap()
        });
        drop(guard);
    }
}

#[test]
fn waiter_that_goes_leaves_the_queue_of_the_server() {
    let locks = locks();
    let other = locks.other_process();
    let guard = locks.key("key").lock().unwrap();
    let mut waiter = ByHand::new(other.key("key").lock_async());
    assert!(waiter.poll().is_pending());
    eventually("it waits", || locks.states().unwrap()[0].waiters == 1);
    drop(waiter);
    eventually("it has left", || locks.states().unwrap()[0].waiters == 0);
    drop(guard);
}

#[test]
fn time_that_is_over_names_who_was_in_the_way() {
    let locks = locks();
    let other = locks.other_process();
    let _guard = other.key("key").lock().unwrap();
    // Not over before it is asked, on a busy machine.
    let timeout = Duration::from_secs(3);
    let key = locks.key("key");
    let mut late = ByHand::new(key.lock_timeout_async(timeout));
    assert!(late.poll().is_pending());
    until_holder_is_told(locks.name());
    let error = late.finish().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let holder = error.holder().unwrap();
    assert_eq!(holder.pid(), Some(std::process::id() + 1));
    assert!(holder.place().unwrap().contains("waiting.rs"), "{holder}");
    assert!(holder.host().is_some() && holder.since().is_some());
    // A thread, behind one that has been told.
    let mut told = ByHand::new(key.lock_async());
    assert!(told.poll().is_pending());
    until_holder_is_told(locks.name());
    let error = key.lock_timeout(Duration::from_millis(100)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("held by"), "{error}");
    drop(told);
    eventually("nothing of them is left", || {
        locks.states().unwrap()[0].waiters == 0
    });
}

#[test]
fn try_is_told_who_has_it() {
    let locks = locks();
    let other = locks.other_process();
    let guard = other.key("key").lock().unwrap();
    let error = locks.key("key").try_lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.holder().unwrap().pid().is_some(), "{error}");
    let error = pollster::block_on(locks.key("key").try_lock_async()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(guard);
    other.close(LONG).unwrap();
    let _guard = locks.key("key").try_lock().unwrap();
    // In the process it is a thread that has it.
    let error = locks.key("key").try_lock().unwrap_err();
    assert!(error.holder().unwrap().site().is_some(), "{error}");
}

#[test]
fn thread_that_waits_for_itself_is_a_deadlock() {
    let locks = locks();
    let _guard = locks.key("key").lock().unwrap();
    let error = locks.key("key").lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock);
}

#[test]
fn threads_that_wait_for_each_other_are_a_deadlock() {
    let locks = locks();
    in_time(move || {
        let a = locks.key("a").lock().unwrap();
        let (held, is_held) = mpsc::channel();
        let other = locks.clone();
        let thread = thread::spawn(move || {
            let b = other.key("b").lock().unwrap();
            held.send(()).unwrap();
            let a = other.key("a").lock();
            drop(b);
            a.map(drop)
        });
        is_held.recv().unwrap();
        let b = locks.key("b").lock();
        let own = b.as_ref().err().map(lockutils::Error::kind);
        drop((a, b));
        let others = thread.join().unwrap().err().map(|error| error.kind());
        let deadlocks = [own, others].into_iter().flatten();
        assert_eq!(deadlocks.collect::<Vec<_>>(), [ErrorKind::Deadlock]);
    });
}

#[test]
fn several_keys_have_a_fence_each() {
    let locks = locks();
    let other = locks.other_process();
    let guard = locks.keys(["b", "a", "b"]).lock().unwrap();
    assert_eq!(guard.fences().len(), 2);
    assert!(guard.fences()[0] < guard.fences()[1]);
    for key in ["a", "b"] {
        assert!(other.key(key).is_locked().unwrap());
    }
    drop(guard);
    other
        .key("b")
        .lock_timeout(LONG)
        .unwrap()
        .release()
        .unwrap();
}

#[test]
fn sharers_are_inside_together() {
    let locks = locks();
    let other = locks.other_process();
    let one = locks.key("key").shared().lock().unwrap();
    let two = other.key("key").shared().lock().unwrap();
    let three = locks.key("key").shared().lock().unwrap();
    assert_eq!(one.fence(), three.fence());
    assert!(one.fence() < two.fence());
    assert!(other.key("key").try_lock().is_err());
    drop((one, two));
    assert!(locks.other_process().key("key").try_lock().is_err());
    drop(three);
    in_time(move || drop(other.key("key").lock().unwrap()));
}

#[synchronized("job-{id}", locks = locks, guard = lease)]
async fn job(locks: &FakeLocks, id: u64) -> Result<u64, lockutils::Error> {
    lease.check()?;
    Ok(lease.fence().get())
}

#[test]
fn tasks_of_any_executor_take_locks() {
    let locks = locks();
    let first = pollster::block_on(job(&locks, 1)).unwrap();
    let one_thread = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let second = one_thread.block_on(job(&locks, 1)).unwrap();
    let threads = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let spawned = locks.clone();
    let third = threads.block_on(threads.spawn(async move { job(&spawned, 1).await }));
    // A thread that blocks in a task is no reason for the agent to stand still.
    let fourth = threads.block_on(async { locks.key("job-1").lock().unwrap().fence().get() });
    let fences = [first, second, third.unwrap().unwrap(), fourth];
    assert!(fences.is_sorted_by(|one, other| one < other), "{fences:?}");
}
