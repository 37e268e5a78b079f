//! Servers, networks and processes that fail.

use lockutils::{ErrorKind, LeaseGuard};
use lockutils_conformance::{ByHand, in_time};
use lockutils_etcd::Etcd;
use lockutils_servers::{Etcd as Server, EtcdCluster, EtcdKind, faults};
use std::time::Duration;

use crate::{LONG, api, locks, server};

struct Locks;

impl faults::Subject for Locks {
    type Server = EtcdKind;
    type Store = Etcd;
}

faults!(Locks);

fn assert_lost(guard: LeaseGuard) {
    assert!(guard.is_lost());
    assert_eq!(guard.release().unwrap_err().kind(), ErrorKind::Lost);
}

fn wait_for_loss(guard: &LeaseGuard) {
    let lost = guard.lost();
    in_time(move || pollster::block_on(lost));
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
fn leader_that_dies_takes_no_lock_along() {
    if !Server::available() {
        return;
    }
    let cluster = EtcdCluster::start();
    // Each node has a part of it.
    let answer_timeout = Duration::from_secs(20);
    let other = locks(&cluster.url()).answer_timeout(answer_timeout);
    let locks = other.clone().ttl(Duration::from_secs(30));
    let guard = locks.key("a").lock().unwrap();
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
fn locks_of_a_process_have_one_lease() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url());
    let guards = ["a", "b", "c"].map(|key| locks.key(key).lock().unwrap());
    assert_eq!(api::leases(server.port()).len(), 1);
    drop(guards);
    locks.close(LONG).unwrap();
    assert_eq!(api::leases(server.port()).len(), 0);
}
