//! The queue of a lock, and how who waits learns that it has it.

use lockutils_remote::{Asked, Fault, Freed, Session};
use lockutils_servers::Etcd as Server;
use std::time::Duration;
use tokio::time::timeout;

use crate::api;
use crate::session::{LONG, busy, claim, granted, open, with};

/// The fencing token of who has waited, and had no question to ask.
async fn handed_over(freed: impl Future<Output = Result<Freed, Fault>>) -> u64 {
    match freed.await {
        Ok(Freed::Granted(fence)) => fence,
        other => panic!("{other:?}"),
    }
}

/// Fails if the wait is over within a while.
async fn still_waits(freed: impl Future<Output = Result<Freed, Fault>>) {
    let early = timeout(Duration::from_millis(50), freed).await;
    assert!(early.is_err(), "{early:?}");
}

/// The keys of who has the lock or waits for it.
fn keys(server: &Server) -> Vec<String> {
    api::of_keys_between(server.port(), "billing%2Feu/a/", "billing%2Feu/a0", "key")
}

fn delete(server: &Server, key: &str) {
    let delete = format!("{{\"key\":\"{key}\"}}");
    let answer = Server::call(server.port(), "kv/deleterange", &delete);
    assert!(answer.contains("\"deleted\":\"1\""), "{answer}");
}

#[test]
fn the_queue_is_served_in_its_order() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let others = [
            open(&server.url(), LONG).await,
            open(&server.url(), LONG).await,
        ];
        let mut claims: Vec<_> = (0..6).map(|_| claim("a")).collect();
        let mut fence = granted(session.acquire(&claims[0], Asked::Waiting).await);
        for (at, claim) in claims.iter().enumerate().skip(1) {
            let taken = busy(others[at % 2].acquire(claim, Asked::Waiting).await);
            assert_eq!(taken.waiting, at);
            busy(others[at % 2].acquire(claim, Asked::Waiting).await);
        }
        // One in the middle goes.
        assert!(!others[0].release(&claims.remove(2)).await.unwrap());
        let owners = [&session, &others[1], &others[1], &others[0], &others[1]];
        for at in 1..claims.len() {
            let mut freed = Box::pin(owners[at].freed(&claims[at]));
            still_waits(freed.as_mut()).await;
            assert!(owners[at - 1].release(&claims[at - 1]).await.unwrap());
            let next = handed_over(freed).await;
            assert!(next > fence);
            assert_eq!(
                granted(owners[at].acquire(&claims[at], Asked::Waiting).await),
                next
            );
            fence = next;
        }
    });
}

#[test]
fn a_waiter_whose_key_is_deleted_by_hand_joins_again() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let (a, b) = (claim("a"), claim("a"));
        granted(session.acquire(&a, Asked::Once).await);
        let before = keys(server);
        busy(session.acquire(&b, Asked::Waiting).await);
        let mut waits = keys(server);
        waits.retain(|key| !before.contains(key));
        let mut freed = Box::pin(session.freed(&b));
        still_waits(freed.as_mut()).await;
        delete(server, &waits[0]);
        assert_eq!(freed.await.unwrap(), Freed::Ask);
        busy(session.acquire(&b, Asked::Waiting).await);
        assert_eq!(keys(server).len(), 2);
        assert!(session.release(&a).await.unwrap());
        granted(session.acquire(&b, Asked::Waiting).await);
    });
}

#[test]
fn a_lock_that_was_freed_before_the_wait_is_told_at_once() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let (a, b) = (claim("a"), claim("a"));
        granted(session.acquire(&a, Asked::Once).await);
        busy(session.acquire(&b, Asked::Waiting).await);
        session.release(&a).await.unwrap();
        let fence = handed_over(session.freed(&b)).await;
        assert_eq!(granted(session.acquire(&b, Asked::Waiting).await), fence);
    });
}

/// It is first when the one before it goes, but not there any more.
#[test]
fn a_waiter_whose_key_was_deleted_by_hand_is_not_handed_the_lock() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let (a, b) = (claim("a"), claim("a"));
        granted(session.acquire(&a, Asked::Once).await);
        let before = keys(server);
        busy(session.acquire(&b, Asked::Waiting).await);
        let waits = keys(server);
        let own = waits.iter().find(|key| !before.contains(key)).unwrap();
        delete(server, own);
        assert!(session.release(&a).await.unwrap());
        assert_eq!(session.freed(&b).await.unwrap(), Freed::Ask);
        granted(session.acquire(&b, Asked::Waiting).await);
    });
}

#[test]
fn a_waiter_who_is_far_behind_is_called_when_it_comes_near() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let claims: Vec<_> = (0..12).map(|_| claim("a")).collect();
        granted(session.acquire(&claims[0], Asked::Waiting).await);
        for (at, claim) in claims.iter().enumerate().skip(1) {
            let taken = busy(session.acquire(claim, Asked::Waiting).await);
            assert_eq!(taken.waiting, at);
        }
        let last = claims.last().unwrap();
        let mut freed = Box::pin(session.freed(last));
        for claim in &claims[..3] {
            still_waits(freed.as_mut()).await;
            session.release(claim).await.unwrap();
        }
        // One comes near, and is the holder.
        session.release(&claims[3]).await.unwrap();
        assert_eq!(freed.await.unwrap(), Freed::Ask);
        busy(session.acquire(last, Asked::Waiting).await);
        let mut freed = Box::pin(session.freed(last));
        // Whoever goes, and in whatever order.
        for claim in claims[4..11].iter().rev() {
            still_waits(freed.as_mut()).await;
            session.release(claim).await.unwrap();
        }
        let fence = handed_over(freed).await;
        assert_eq!(granted(session.acquire(last, Asked::Waiting).await), fence);
    });
}
