//! What is particular to these locks.

use std::future;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use lockutils::{Error, ErrorKind, LeaseGuard, synchronized};
use lockutils_conformance::{ByHand, eventually, in_time, until_holder_is_told};
use lockutils_redis::RedisLocks;
use lockutils_servers::Redis;
use redis::cmd;

use crate::setting::admin;

/// A lease that doesn't end while a test runs.
const LONG: Duration = Duration::from_secs(600);

fn with_server(test: impl FnOnce(Redis) + Send + 'static) {
    if Redis::available() {
        in_time(|| test(Redis::start()));
    }
}

fn locks(server: &Redis) -> RedisLocks {
    let locks = RedisLocks::new(&server.url()).unwrap().ttl(LONG);
    // The machine may be busy.
    locks.answer_timeout(LONG)
}

fn assert_is_told(guard: LeaseGuard) {
    pollster::block_on(guard.lost());
    assert!(guard.is_lost());
    assert_eq!(guard.check().unwrap_err().kind(), ErrorKind::Lost);
    assert_eq!(guard.release().unwrap_err().kind(), ErrorKind::Lost);
}

#[test]
fn flushed_server_has_all_locks_lost_at_once_and_waiters_served() {
    with_server(|server| {
        let (locks, other) = (locks(&server), locks(&server));
        let guards = ["a", "b"].map(|key| locks.key(key).lock().unwrap());
        let fence = guards[0].fence();
        let mut waits = ByHand::new(other.key("a").lock_async());
        assert!(waits.poll().is_pending());
        cmd("FLUSHALL").exec(&mut admin(&server.url())).unwrap();
        guards.into_iter().for_each(assert_is_told);
        assert!(waits.finish().unwrap().fence() > fence);
    });
}

#[test]
fn overwritten_lock_is_lost_and_its_release_leaves_the_other_value() {
    with_server(|server| {
        let (locks, mut admin) = (locks(&server), admin(&server.url()));
        let guard = locks.key("a").lock().unwrap();
        cmd("SET")
            .arg("lockutils:a")
            .arg("another's")
            .exec(&mut admin)
            .unwrap();
        assert_is_told(guard);
        locks.close(LONG).unwrap();
        let value: String = cmd("GET").arg("lockutils:a").query(&mut admin).unwrap();
        assert_eq!(value, "another's");
    });
}

#[test]
fn killed_client_keeps_holds_and_waiters() {
    with_server(|server| {
        let (locks, other) = (locks(&server), locks(&server));
        let guard = locks.key("a").lock().unwrap();
        let mut waits = ByHand::new(other.key("a").lock_async());
        assert!(waits.poll().is_pending());
        let mut kill = cmd("CLIENT");
        kill.arg("KILL").arg("SKIPME").arg("yes");
        let killed: usize = kill
            .arg("TYPE")
            .arg("pubsub")
            .query(&mut admin(&server.url()))
            .unwrap();
        assert!(killed > 0);
        guard.check().unwrap();
        let fence = guard.fence();
        guard.release().unwrap();
        assert!(waits.finish().unwrap().fence() > fence);
    });
}

#[test]
fn fence_rises_over_the_loss_of_the_data() {
    with_server(|server| {
        let locks = locks(&server);
        let mut last = None;
        for _ in 0..3 {
            let guard = locks.key("a").lock().unwrap();
            assert!(Some(guard.fence()) > last);
            last = Some(guard.fence());
            guard.release().unwrap();
            server.restart_empty();
        }
    });
}

#[test]
fn who_is_put_off_by_a_full_server_is_told_that_it_is_full() {
    with_server(|server| {
        let mut admin = admin(&server.url());
        let mut set = cmd("CONFIG");
        set.arg("SET").arg("maxmemory").arg("1kb");
        set.exec(&mut admin).unwrap();
        let locks = locks(&server).answer_timeout(Duration::from_secs(3));
        let error = locks.key("key").lock().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("OOM"), "{error}");
    });
}

#[test]
fn holder_is_visible_to_who_waits_and_who_looks() {
    with_server(|server| {
        let (one, two) = (locks(&server), locks(&server));
        let guard = one.key("invoice-7").lock().unwrap();
        let place = format!("locks.rs:{}", line!() - 1);
        let key = two.key("invoice-7");
        let states = two.states().unwrap();
        assert_eq!((states.len(), states[0].key.as_str()), (1, "invoice-7"));
        for holder in [&key.holder().unwrap().unwrap(), &states[0].holders[0]] {
            assert_eq!(holder.pid(), Some(std::process::id()));
            assert!(holder.host().is_some_and(|host| !host.is_empty()));
            assert!(holder.command().is_some());
            assert!(holder.place().unwrap().ends_with(&place));
            let since = holder.since().unwrap().elapsed().unwrap();
            assert!(since < Duration::from_secs(60), "{since:?}");
        }
        let busy = key.try_lock().unwrap_err();
        // Not over before it is asked, on a busy machine.
        let timeout = Duration::from_secs(3);
        let mut late = ByHand::new(key.lock_timeout_async(timeout));
        assert!(late.poll().is_pending());
        until_holder_is_told(two.name());
        let late = late.finish().unwrap_err();
        assert_eq!(
            (busy.kind(), late.kind()),
            (ErrorKind::Busy, ErrorKind::Timeout)
        );
        for error in [busy, late] {
            assert!(error.to_string().contains(&place), "{error}");
        }
        assert_eq!(two.clone().prefix("other").states().unwrap().len(), 0);
        guard.release().unwrap();
        assert!(!key.is_locked().unwrap());
    });
}

#[test]
fn body_is_dropped_when_the_lock_is_lost() {
    #[synchronized("a", locks = locks, cancel_on_loss)]
    async fn work(locks: &RedisLocks, begun: &Sender<()>) -> Result<(), Error> {
        begun.send(()).unwrap();
        future::pending().await
    }

    with_server(|server| {
        let locks = locks(&server);
        let (tell, begun) = mpsc::channel();
        let worker = thread::spawn(move || pollster::block_on(work(&locks, &tell)));
        begun.recv().unwrap();
        let mut delete = cmd("DEL");
        delete.arg("lockutils:a");
        delete.exec(&mut admin(&server.url())).unwrap();
        let error = worker.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Lost);
    });
}

#[test]
fn connection_ends_with_the_last_guard() {
    with_server(|server| {
        let locks = locks(&server);
        let guard = locks.key("a").lock().unwrap();
        drop(locks);
        guard.check().unwrap();
        let mut admin = admin(&server.url());
        let mut clients = || -> String { cmd("CLIENT").arg("LIST").query(&mut admin).unwrap() };
        assert!(clients().contains("name=lockutils:"));
        drop(guard);
        eventually("the connection ends", || {
            !clients().contains("name=lockutils:")
        });
    });
}
