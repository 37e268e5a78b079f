//! Holders and waiters that die, or stand still.

use lockutils::ErrorKind;
use lockutils_conformance::{Process, eventually};
use rustix::process::Signal;
use std::time::{Duration, Instant};

use crate::{LEASE, LONG, child, locks, server};

/// Has a child ask, and waits until the server has its question.
fn ask(child: &mut Process, locks: &lockutils_etcd::EtcdLocks, waiters: usize) {
    child.ask_for("lock key", "asks");
    eventually("it waits at the server", || {
        let states = locks.states().unwrap();
        states.first().is_some_and(|state| state.waiters == waiters)
    });
}

#[test]
fn lock_is_handed_over_between_processes_in_their_order() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url());
    let guard = locks.key("key").lock().unwrap();
    let mut fence = guard.fence().get();
    let mut children: Vec<_> = (0..3).map(|_| child::start(&server.url())).collect();
    for (before, child) in children.iter_mut().enumerate() {
        ask(child, &locks, before + 1);
    }
    drop(guard);
    for child in &mut children {
        let next: u64 = child.hear_of("locked").parse().unwrap();
        assert!(next > fence);
        fence = next;
        assert_eq!(child.ask("release"), "released");
    }
    assert!(!locks.key("key").is_locked().unwrap());
}

#[test]
fn holder_is_told_by_name_to_who_finds_it_busy() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url());
    let mut child = child::start(&server.url());
    child.ask_for("lock key", "asks");
    child.hear_of("locked");
    let error = locks.key("key").try_lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    let holder = locks.key("key").holder().unwrap().unwrap();
    assert_eq!(holder.pid(), Some(child.id()));
    let states = locks.states().unwrap();
    assert_eq!(states.len(), 1, "{states:?}");
    let text = error.to_string();
    assert!(text.contains(&child.id().to_string()), "{text}");
    assert!(text.contains("child.rs"), "{text}");
}

#[test]
fn stopped_holder_has_lost_at_its_first_look() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url()).ttl(LEASE);
    let mut child = child::start(&server.url());
    child.ask_for("lock key", "asks");
    child.hear_of("locked");
    assert_eq!(child.ask("lost?"), "Some(false)");
    child::signal(&child, Signal::STOP);
    let begun = Instant::now();
    let guard = locks.key("key").lock_timeout(LONG).unwrap();
    assert!(
        begun.elapsed() < LEASE + Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    child::signal(&child, Signal::CONT);
    assert_eq!(child.ask("lost?"), "Some(true)");
    assert!(!child.ask("release").contains("released"));
    // Its release is no other's.
    guard.check().unwrap();
    guard.release().unwrap();
}

#[test]
fn stopped_or_killed_waiter_stands_in_the_way_for_a_lease_at_most() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url());
    for kill in [false, true] {
        let guard = locks.key("key").lock().unwrap();
        let mut child = child::start(&server.url());
        ask(&mut child, &locks, 1);
        let mut next = child::start(&server.url());
        ask(&mut next, &locks, 2);
        if kill {
            child.kill();
        } else {
            child::signal(&child, Signal::STOP);
        }
        drop(guard);
        next.hear_of("locked");
        assert_eq!(next.ask("release"), "released");
        if !kill {
            // It asks again, behind the others.
            child::signal(&child, Signal::CONT);
            child.hear_of("locked");
            assert_eq!(child.ask("release"), "released");
        }
    }
}

#[test]
fn killed_holder_frees_its_lock_with_its_lease() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url());
    let mut child = child::start(&server.url());
    child.ask_for("lock key", "asks");
    let fence: u64 = child.hear_of("locked").parse().unwrap();
    child.kill();
    assert_eq!(
        locks.key("key").try_lock().unwrap_err().kind(),
        ErrorKind::Busy
    );
    let guard = locks.key("key").lock_timeout(LONG).unwrap();
    assert!(guard.fence().get() > fence);
}
