//! What users get wrong.

use lockutils::{Error, ErrorKind};
use lockutils_etcd::EtcdLocks;
use lockutils_remote::{Answer, Asked, Fault, Kept, Query, Session as _};
use lockutils_servers::{Etcd as Server, Proxy, Redis};
use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

use crate::session::{self, claim, granted, open, run};
use crate::{api, locks, server};

fn unavailable<T: std::fmt::Debug>(result: Result<T, Error>, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let texts: Vec<_> = causes.map(ToString::to_string).collect();
    let text = format!("{error}: {}", texts.join(": "));
    assert!(text.contains(part), "{text}");
    assert!(!format!("{text} {error:?}").contains("s3cret"), "{text}");
}

#[test]
fn wrong_urls_are_told_at_once_by_their_wrong_part() {
    for (url, part) in [
        ("localhost:2379", "no scheme"),
        ("redis://me:s3cret@localhost", "scheme is none of"),
        (
            "etcd://me:s3cret@localhost:port",
            "host 1 has no valid port",
        ),
    ] {
        let error = EtcdLocks::new(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
}

#[test]
fn empty_key_is_invalid_and_any_other_text_is_a_key() {
    let Some(server) = server() else { return };
    let locks = locks(&server.url());
    assert_eq!(
        locks.key("").lock().unwrap_err().kind(),
        ErrorKind::InvalidKey
    );
    let long = "long/".repeat(1_000_000);
    let guards: Vec<_> = ["a", "a/b", "a/b/c", " ", "\n", "%2F", "ü", &long]
        .map(|key| locks.key(key).try_lock().unwrap())
        .into();
    assert_eq!(locks.states().unwrap().len(), guards.len());
    assert_eq!(
        locks.key(&long).try_lock().unwrap_err().kind(),
        ErrorKind::Busy
    );
}

#[test]
fn wrong_password_is_unavailable_and_the_right_one_is_not() {
    let Some(server) = server() else { return };
    server.demand_logins();
    let locks = locks(&server.url());
    unavailable(
        locks.key("a").lock(),
        "give `EtcdLocks` a user and a password",
    );
    let wrong = locks.clone().login("root", "s3cret wrong");
    unavailable(wrong.key("a").lock(), "look at the user and the password");
    unavailable(wrong.key("a").holder(), "look at the user and the password");
    unavailable(wrong.states(), "look at the user and the password");
    let nobody = locks.clone().login("nobody", "s3cret");
    unavailable(nobody.key("a").lock(), "grant-permission");
    let right = locks.login("root", "s3cret");
    assert!(!format!("{right:?}").contains("s3cret"));
    drop(right.key("a").lock().unwrap());
}

#[test]
fn what_a_server_refuses_that_becomes_full_is_not_held() {
    if !Server::available() {
        return;
    }
    // It does some of what it refuses, where much is under way in that moment.
    for quota in ["100000", "150000"] {
        let server = Server::with(&["--quota-backend-bytes", quota]);
        run(async {
            let session = Arc::new(open(&server.url(), session::LONG).await);
            let mut asks = JoinSet::new();
            for number in 0..1000 {
                let session = Arc::clone(&session);
                let claim = claim(&number.to_string());
                asks.spawn(async move { session.acquire(&claim, Asked::Once).await });
            }
            let (mut granted, mut refused) = (0, 0);
            while let Some(answer) = asks.join_next().await {
                match answer.unwrap() {
                    Ok(Answer::Granted(_)) => granted += 1,
                    Err(Fault::Refused(_)) => refused += 1,
                    other => panic!("{other:?}"),
                }
            }
            assert!(granted > 0 && refused > 0, "{granted} {refused}");
            let held = session.holders(Query::All).await.unwrap();
            assert_eq!(held.len(), granted, "{refused} were refused");
        });
    }
}

/// Else the session would be given up after a lease, with all that it holds.
#[test]
fn what_was_not_answered_is_released_at_a_server_that_is_full() {
    if !Server::available() {
        return;
    }
    let server = Server::with(&["--quota-backend-bytes", "100000"]);
    let proxy = Proxy::to(server.port());
    run(async {
        let session = open(&format!("etcd://127.0.0.1:{}", proxy.port()), session::LONG).await;
        let held = claim("held");
        granted(session.acquire(&held, Asked::Once).await);
        let unknown = claim("a");
        proxy.drop_answers(1);
        let answer = session.acquire(&unknown, Asked::Once).await;
        assert!(matches!(answer, Err(Fault::Unknown(_))), "{answer:?}");
        proxy.mend();
        api::fill(server.port(), 100_000);
        let refused = claim("b");
        // It may be that the first question finds the connection broken.
        let answer = loop {
            match session.acquire(&refused, Asked::Once).await {
                Err(Fault::NotDone(_) | Fault::Unknown(_)) => {}
                answer => break answer,
            }
        };
        assert!(matches!(answer, Err(Fault::Refused(_))), "{answer:?}");
        // It had the lock, or something else was lost than its answer.
        session.release(&unknown).await.unwrap();
        assert!(!session.release(&unknown).await.unwrap());
        assert_eq!(session.renew(&[]).await.unwrap(), Kept::All);
        assert!(session.release(&held).await.unwrap());
        assert_eq!(session.holders(Query::All).await.unwrap(), []);
    });
}

#[test]
fn server_of_another_kind_is_unavailable() {
    if !Redis::available() {
        return;
    }
    let redis = Redis::start();
    let locks = locks(&format!("etcd://127.0.0.1:{}", redis.port()));
    unavailable(
        locks.key("a").lock(),
        "is it the port for clients of an etcd",
    );
}

#[test]
fn nobody_at_the_port_is_unavailable_within_the_time_that_was_given() {
    let locks = locks("etcd://127.0.0.1:1").answer_timeout(Duration::from_secs(1));
    let begun = Instant::now();
    unavailable(locks.key("a").lock(), "127.0.0.1:1");
    unavailable(locks.key("a").is_locked(), "127.0.0.1:1");
    unavailable(locks.states(), "127.0.0.1:1");
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
}
