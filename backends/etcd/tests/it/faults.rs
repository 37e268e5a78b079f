//! Servers that fail, and a network that does.

use lockutils::{ErrorKind, LeaseGuard};
use lockutils_conformance::{ByHand, eventually, in_time};
use lockutils_etcd::EtcdLocks;
use lockutils_servers::{Etcd as Server, EtcdCluster, Proxy};
use std::thread;
use std::time::{Duration, Instant};

use crate::{LEASE, LONG, api, locks, server};

fn assert_lost(guard: LeaseGuard) {
    assert!(guard.is_lost());
    assert_eq!(guard.release().unwrap_err().kind(), ErrorKind::Lost);
}

fn wait_for_loss(guard: &LeaseGuard) {
    let lost = guard.lost();
    in_time(move || pollster::block_on(lost));
}

/// A space that reaches its server through a proxy.
fn through(server: &Server) -> (Proxy, EtcdLocks) {
    let proxy = Proxy::to(server.port());
    let locks = locks(&format!("etcd://127.0.0.1:{}", proxy.port()));
    (proxy, locks)
}

#[test]
fn revoked_lease_loses_all_its_locks_at_once() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url()).ttl(LONG);
    let guards: Vec<_> = ["a", "b"].map(|key| locks.key(key).lock().unwrap()).into();
    let fence = guards[0].fence();
    api::revoke_all(server.port());
    for guard in guards {
        wait_for_loss(&guard);
        assert_lost(guard);
    }
    assert!(locks.key("a").lock().unwrap().fence() > fence);
}

#[test]
fn stopped_server_is_unavailable_and_the_hold_is_lost_in_time() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url()).ttl(LEASE).answer_timeout(LEASE / 2);
    let guard = locks.key("a").lock().unwrap();
    server.stop();
    let begun = Instant::now();
    let error = locks.key("b").lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    wait_for_loss(&guard);
    assert!(
        begun.elapsed() < LEASE + Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    server.go_on();
    assert_lost(guard);
    drop(locks.key("b").lock_timeout(LONG).unwrap());
    drop(locks.key("a").lock_timeout(LONG).unwrap());
}

#[test]
fn hold_outlives_a_restart_with_its_data() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url()).ttl(Duration::from_secs(60));
    let guard = locks.key("a").lock().unwrap();
    let other = self::locks(&server.url());
    let mut waits = ByHand::new(other.key("a").lock_async());
    assert!(waits.poll().is_pending());
    server.kill();
    server.restart();
    guard.check().unwrap();
    let fence = guard.fence();
    guard.release().unwrap();
    let next = in_time(move || waits.finish()).unwrap();
    assert!(next.fence() > fence);
}

#[test]
fn hold_is_lost_with_the_data() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url()).ttl(Duration::from_secs(10));
    let guard = locks.key("a").lock().unwrap();
    server.kill();
    server.restart_empty();
    wait_for_loss(&guard);
    assert_lost(guard);
    drop(locks.key("a").lock().unwrap());
}

#[test]
fn connection_that_is_cut_keeps_holds_and_waiters() {
    let Some(server) = server() else { return };
    let (proxy, locks) = through(&server);
    let direct = self::locks(&server.url());
    let held = locks.key("held").lock().unwrap();
    let guard = direct.key("a").lock().unwrap();
    let mut waits = ByHand::new(locks.key("a").lock_async());
    assert!(waits.poll().is_pending());
    eventually("it waits at the server", || {
        direct
            .states()
            .unwrap()
            .iter()
            .any(|state| state.waiters == 1)
    });
    proxy.cut();
    proxy.mend();
    guard.release().unwrap();
    drop(in_time(move || waits.finish()).unwrap());
    held.check().unwrap();
    held.release().unwrap();
}

#[test]
fn lost_answers_leave_nothing_held_or_queued() {
    let Some(server) = server() else { return };
    let (proxy, locks) = through(&server);
    let direct = self::locks(&server.url());
    for _ in 0..3 {
        // Has a connection.
        drop(locks.key("other").lock().unwrap());
        locks.close(LONG).unwrap();
        let guard = locks.key("other").lock().unwrap();
        proxy.drop_answers(1);
        let result = locks.key("a").lock_timeout(Duration::from_secs(20));
        proxy.mend();
        drop(result);
        drop(direct.key("a").lock_timeout(LONG).unwrap());
        drop(guard);
    }
    eventually("all is released", || direct.states().unwrap().is_empty());
}

#[test]
fn release_whose_answer_is_lost_is_made_again() {
    let Some(server) = server() else { return };
    let (proxy, locks) = through(&server);
    let direct = self::locks(&server.url());
    let guard = locks.key("a").lock().unwrap();
    proxy.drop_answers(1);
    drop(guard);
    drop(direct.key("a").lock_timeout(LONG).unwrap());
    proxy.mend();
    // The queue in the process goes on too.
    drop(locks.key("a").lock_timeout(LONG).unwrap());
    locks.close(LONG).unwrap();
    assert_eq!(direct.states().unwrap().len(), 0);
}

#[test]
fn server_that_is_silent_is_left_and_come_back_to() {
    let Some(server) = server() else { return };
    let (proxy, locks) = through(&server);
    let locks = locks.answer_timeout(LEASE / 2);
    drop(locks.key("a").lock().unwrap());
    proxy.stall();
    let begun = Instant::now();
    let error = locks.key("a").lock_timeout(LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let error = locks
        .key("a")
        .lock_timeout(Duration::from_millis(100))
        .unwrap_err();
    let kinds = [ErrorKind::Timeout, ErrorKind::Unavailable];
    assert!(kinds.contains(&error.kind()), "{error}");
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    proxy.flow();
    drop(locks.key("a").lock_timeout(LONG).unwrap());
}

#[test]
fn leader_that_dies_takes_no_lock_along() {
    if !Server::available() {
        return;
    }
    let cluster = EtcdCluster::start();
    let locks = locks(&cluster.url()).ttl(Duration::from_secs(30));
    let guard = locks.key("a").lock().unwrap();
    let other = self::locks(&cluster.url());
    let mut waits = ByHand::new(other.key("a").lock_async());
    assert!(waits.poll().is_pending());
    let leader = cluster.leader().expect("there is one");
    cluster.nodes()[leader].kill();
    let fence = guard.fence();
    guard.check().unwrap();
    drop(guard);
    let next = in_time(move || {
        loop {
            match waits.finish() {
                Ok(next) => break next,
                // Nobody may have led for as long as an answer may take.
                Err(error) if error.kind() == ErrorKind::Unavailable => {
                    waits = ByHand::new(other.key("a").lock_async());
                    assert!(waits.poll().is_pending());
                }
                Err(error) => panic!("{error}"),
            }
        }
    });
    assert!(next.fence() > fence);
}

#[test]
fn two_thousand_keys_are_held_at_once() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url()).ttl(LEASE);
    let guards: Vec<_> = (0..2_000)
        .map(|key| locks.key(key).lock().unwrap())
        .collect();
    let begun = Instant::now();
    while begun.elapsed() < 2 * LEASE {
        thread::yield_now();
    }
    assert!(guards.iter().all(|guard| !guard.is_lost()));
    assert_eq!(locks.states().unwrap().len(), 2_000);
    assert_eq!(api::leases(server.port()).len(), 1);
    drop(guards);
    locks.close(LONG).unwrap();
    assert_eq!(api::leases(server.port()).len(), 0);
}
