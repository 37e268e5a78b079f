//! The session by itself: one question, one answer.

use lockutils_etcd::{Etcd, EtcdSession};
use lockutils_remote::{
    Answer, Asked, Claim, Fault, FromUrl, Kept, Loss, Member, Query, Session, Store, Taken,
};
use lockutils_servers::{Etcd as Server, EtcdCluster, Proxy, Redis};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};
use tokio::time::timeout;

use crate::api;

/// A lease that is kept where the machine stands still for seconds, and that can be waited for.
const LEASE: Duration = Duration::from_secs(9);

/// What isn't waited for.
pub(crate) const LONG: Duration = lockutils_conformance::LIMIT;

pub(crate) fn member(lease: Duration) -> Arc<Member> {
    Arc::new(Member {
        prefix: "billing/eu".into(),
        lease,
        answer_timeout: LONG,
        host: "web-1".into(),
        pid: 4711,
        command: "worker".into(),
        is_for_another: false,
    })
}

pub(crate) async fn open(url: &str, lease: Duration) -> EtcdSession {
    Etcd::from_url(url)
        .unwrap()
        .open(&member(lease))
        .await
        .unwrap()
}

pub(crate) fn claim(key: &str) -> Claim {
    static NONCE: AtomicU64 = AtomicU64::new(1);
    let store = Etcd::from_url("etcd://a").unwrap();
    Claim {
        name: store.locate("billing/eu", key).unwrap(),
        key: key.into(),
        nonce: NONCE.fetch_add(1, Ordering::Relaxed).into(),
        shared: false,
        site: "src/a.rs:1:2".into(),
        since: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
    }
}

pub(crate) fn run(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async { timeout(LONG, test).await.expect("it ends") });
}

/// With a server of its own.
pub(crate) fn with(test: impl AsyncFnOnce(&Server)) {
    if Server::available() {
        let server = Server::start();
        run(test(&server));
    }
}

pub(crate) fn granted(answer: Result<Answer, Fault>) -> u64 {
    match answer {
        Ok(Answer::Granted(fence)) => fence,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn busy(answer: Result<Answer, Fault>) -> Taken {
    match answer {
        Ok(Answer::Busy(Some(taken))) => taken,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_is_granted_once_and_told_who_has_it() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let other = open(&server.url(), LONG).await;
        assert_eq!(session.lease(), LONG);
        let (a, b) = (claim("a/b"), claim("a/b"));
        let fence = granted(session.acquire(&a, Asked::Once).await);
        assert_eq!(granted(session.acquire(&a, Asked::Once).await), fence);
        assert_eq!(granted(session.acquire(&a, Asked::Waiting).await), fence);
        let taken = busy(other.acquire(&b, Asked::Once).await);
        let since = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(
            taken,
            Taken {
                name: a.name.clone(),
                key: Some("a/b".into()),
                host: Some("web-1".into()),
                pid: Some(4711),
                command: Some("worker".into()),
                site: Some("src/a.rs:1:2".into()),
                since: Some(since),
                fence: Some(fence),
                waiting: 0,
            }
        );
        let c = claim("a");
        granted(other.acquire(&c, Asked::Waiting).await);
        busy(other.acquire(&b, Asked::Waiting).await);
        let mut all = other.holders(Query::All).await.unwrap();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(all.len(), 2, "{all:?}");
        assert_eq!(
            all[1],
            Taken {
                waiting: 1,
                ..taken
            }
        );
        assert_eq!(other.holders(Query::Name(&a.name)).await.unwrap(), all[1..]);
        assert!(!other.release(&b).await.unwrap());
        assert!(session.release(&a).await.unwrap());
        assert!(!session.release(&a).await.unwrap());
        assert!(granted(other.acquire(&claim("a/b"), Asked::Once).await) > fence);
    });
}

/// All that it ever had are looked at by who takes it.
#[test]
fn the_keys_of_a_lock_have_few_names() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let keys =
            || api::of_keys_between(server.port(), "billing%2Feu/a/", "billing%2Feu/a0", "key");
        let mut names = BTreeSet::new();
        for asked in [Asked::Once, Asked::Waiting, Asked::Once] {
            let (one, other) = (claim("a"), claim("a"));
            granted(session.acquire(&one, asked).await);
            busy(session.acquire(&claim("a"), Asked::Once).await);
            busy(session.acquire(&other, Asked::Waiting).await);
            assert_eq!(keys().len(), 2);
            names.extend(keys());
            assert!(session.release(&one).await.unwrap());
            granted(session.acquire(&other, Asked::Waiting).await);
            assert!(session.release(&other).await.unwrap());
        }
        assert_eq!((names.len(), keys().len()), (2, 0));
    });
}

#[test]
fn an_acquisition_that_comes_after_its_release_is_refused() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        for asked in [Asked::Once, Asked::Waiting] {
            let late = claim("a");
            assert!(!session.release(&late).await.unwrap());
            let answer = session.acquire(&late, asked).await;
            assert!(matches!(answer, Err(Fault::NotDone(_))), "{answer:?}");
            assert_eq!(session.holders(Query::All).await.unwrap(), []);
        }
        granted(session.acquire(&claim("a"), Asked::Once).await);
    });
}

/// The mark that keeps a late acquisition out is there until the session ends, and so only where one may be under way.
#[test]
fn a_release_that_finds_nothing_leaves_a_mark_only_if_a_question_is_unanswered() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let (begin, end) = ("billing%2Feu/", "billing%2Feu0");
        let keys = || api::of_keys_between(server.port(), begin, end, "key").len();
        let process = keys();
        for asked in [Asked::Once, Asked::Waiting] {
            let deleted = claim("a");
            granted(session.acquire(&deleted, asked).await);
            api::delete_between(server.port(), "billing%2Feu/a/", "billing%2Feu/a0");
            assert!(!session.release(&deleted).await.unwrap());
            assert_eq!(keys(), process, "{asked:?}");
        }
        let unknown = claim("a");
        assert!(!session.release(&unknown).await.unwrap());
        assert!(!session.release(&unknown).await.unwrap());
        assert_eq!(keys(), process + 1);
    });
}

#[test]
fn a_repeated_release_leaves_the_next_hold_alone() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let (a, b) = (claim("a"), claim("a"));
        granted(session.acquire(&a, Asked::Once).await);
        session.release(&a).await.unwrap();
        granted(session.acquire(&b, Asked::Once).await);
        assert!(!session.release(&a).await.unwrap());
        busy(session.acquire(&claim("a"), Asked::Once).await);
    });
}

/// The session is told to be over, and before that perhaps that the key of what it holds is gone.
async fn is_over(session: &EtcdSession, held: &Claim, told: Loss) {
    let told = match told {
        Loss::Claim(nonce) if nonce == held.nonce => session.lost().await,
        told => told,
    };
    assert!(matches!(told, Loss::Session(Fault::Over(_))), "{told:?}");
}

#[test]
fn a_revoked_lease_is_told_at_once() {
    with(async |server| {
        let session = open(&server.url(), LONG).await;
        let a = claim("a");
        granted(session.acquire(&a, Asked::Once).await);
        assert_eq!(session.renew(&[]).await.unwrap(), Kept::All);
        let mut lost = std::pin::pin!(session.lost());
        assert!(
            timeout(Duration::from_millis(100), lost.as_mut())
                .await
                .is_err()
        );
        let begun = Instant::now();
        api::revoke_all(server.port());
        is_over(&session, &a, lost.await).await;
        assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
        let renewed = session.renew(&[]).await;
        assert!(matches!(renewed, Err(Fault::Over(_))), "{renewed:?}");
        let answer = session.acquire(&claim("b"), Asked::Waiting).await;
        assert!(matches!(answer, Err(Fault::Over(_))), "{answer:?}");
        assert!(!session.release(&a).await.unwrap());
    });
}

#[test]
fn a_lease_that_is_not_renewed_ends_and_the_next_one_is_served() {
    with(async |server| {
        let other = open(&server.url(), LONG).await;
        let begun = Instant::now();
        let session = open(&server.url(), LEASE.mul_f32(0.95)).await;
        assert_eq!(session.lease(), LEASE);
        let (a, b) = (claim("a"), claim("a"));
        granted(session.acquire(&a, Asked::Once).await);
        busy(other.acquire(&b, Asked::Waiting).await);
        while !matches!(
            other.acquire(&b, Asked::Waiting).await.unwrap(),
            Answer::Granted(_)
        ) {
            other.freed(&b).await.unwrap();
        }
        assert!(begun.elapsed() > LEASE * 3 / 4, "{:?}", begun.elapsed());
        is_over(&session, &a, session.lost().await).await;
    });
}

#[test]
fn a_renewed_lease_goes_on() {
    with(async |server| {
        let session = open(&server.url(), LEASE).await;
        granted(session.acquire(&claim("a"), Asked::Once).await);
        let other = open(&server.url(), LONG).await;
        for _ in 0..6 {
            tokio::time::sleep(LEASE / 4).await;
            assert_eq!(session.renew(&[]).await.unwrap(), Kept::All);
        }
        busy(other.acquire(&claim("a"), Asked::Once).await);
        session.close().await;
        granted(other.acquire(&claim("a"), Asked::Once).await);
    });
}

#[test]
fn a_broken_connection_is_made_again_and_the_wait_goes_on() {
    with(async |server| {
        let proxy = Proxy::to(server.port());
        let session = open(&format!("etcd://127.0.0.1:{}", proxy.port()), LONG).await;
        let direct = open(&server.url(), LONG).await;
        let (a, b) = (claim("a"), claim("a"));
        granted(direct.acquire(&a, Asked::Once).await);
        busy(session.acquire(&b, Asked::Waiting).await);
        let mut freed = Box::pin(session.freed(&b));
        assert!(
            timeout(Duration::from_millis(200), freed.as_mut())
                .await
                .is_err()
        );
        proxy.cut();
        let told = timeout(LONG, freed).await.expect("woken by the cut");
        told.unwrap();
        let answer = session.acquire(&b, Asked::Waiting).await;
        assert!(
            matches!(answer, Err(Fault::NotDone(_) | Fault::Unknown(_))),
            "{answer:?}"
        );
        proxy.mend();
        // It may be that the first question finds the connection broken.
        while session.renew(&[]).await.is_err() {}
        busy(session.acquire(&b, Asked::Waiting).await);
        let mut freed = Box::pin(session.freed(&b));
        assert!(
            timeout(Duration::from_millis(200), freed.as_mut())
                .await
                .is_err()
        );
        direct.release(&a).await.unwrap();
        freed.await.unwrap();
        granted(session.acquire(&b, Asked::Waiting).await);
    });
}

#[test]
fn an_answer_that_is_lost_is_unknown_and_a_release_sets_it_right() {
    with(async |server| {
        let proxy = Proxy::to(server.port());
        let session = open(&format!("etcd://127.0.0.1:{}", proxy.port()), LONG).await;
        let direct = open(&server.url(), LONG).await;
        for asked in [Asked::Once, Asked::Waiting] {
            let a = claim("a");
            proxy.drop_answers(1);
            let answer = session.acquire(&a, asked).await;
            assert!(matches!(answer, Err(Fault::Unknown(_))), "{answer:?}");
            proxy.mend();
            while session.release(&a).await.is_err() {}
            let b = claim("a");
            granted(direct.acquire(&b, Asked::Once).await);
            assert!(direct.release(&b).await.unwrap());
        }
    });
}

#[test]
fn a_silent_connection_is_left_for_a_new_one() {
    with(async |server| {
        let proxy = Proxy::to(server.port());
        let url = format!(
            "etcd://127.0.0.1:{},127.0.0.1:{}",
            proxy.port(),
            server.port()
        );
        // A quarter of it is the time for an answer.
        let session = open(&url, 3 * LEASE).await;
        proxy.stall();
        // At most the first of them meets the silence.
        let renewed = [session.renew(&[]).await, session.renew(&[]).await];
        assert!(matches!(renewed[1], Ok(Kept::All)), "{renewed:?}");
        assert!(
            matches!(renewed[0], Ok(Kept::All) | Err(Fault::Unknown(_))),
            "{renewed:?}"
        );
    });
}

#[test]
fn two_thousand_keys_are_held_on_one_connection() {
    with(async |server| {
        let proxy = Proxy::to(server.port());
        let session = open(&format!("etcd://127.0.0.1:{}", proxy.port()), LONG).await;
        let claims: Vec<_> = (0..2_000).map(|i| claim(&i.to_string())).collect();
        let session = Arc::new(session);
        let mut tasks = tokio::task::JoinSet::new();
        for claim in claims.clone() {
            let session = session.clone();
            tasks.spawn(async move { granted(session.acquire(&claim, Asked::Waiting).await) });
        }
        let mut fences = tasks.join_all().await;
        fences.sort_unstable();
        fences.dedup();
        assert_eq!(fences.len(), 2_000);
        assert_eq!(session.holders(Query::All).await.unwrap().len(), 2_000);
        assert_eq!(session.renew(&[]).await.unwrap(), Kept::All);
        for claim in &claims[..10] {
            assert!(session.release(claim).await.unwrap());
        }
        assert_eq!(session.holders(Query::All).await.unwrap().len(), 1_990);
    });
}

#[test]
fn a_leader_that_dies_takes_no_lock_along() {
    if !Server::available() {
        return;
    }
    let cluster = EtcdCluster::start();
    run(async {
        let session = open(&cluster.url(), LONG).await;
        let a = claim("a");
        let fence = granted(session.acquire(&a, Asked::Once).await);
        let leader = cluster.leader().expect("there is one");
        cluster.nodes()[leader].kill();
        let answer = loop {
            let asked = session.acquire(&a, Asked::Once);
            if let Ok(Ok(answer)) = timeout(Duration::from_secs(5), asked).await {
                break answer;
            }
        };
        assert_eq!(answer, Answer::Granted(fence));
        while session.renew(&[]).await.is_err() {}
        // One that begins now passes the dead node over.
        for _ in 0..3 {
            let other = open(&cluster.url(), LONG).await;
            busy(other.acquire(&claim("a"), Asked::Once).await);
        }
    });
}

#[test]
fn logins_are_refused_with_the_remedy_and_without_the_password() {
    with(async |server| {
        server.demand_logins();
        let refused = async |store: Etcd| {
            let fault = store.open(&member(LONG)).await.err().expect("refused");
            assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
            let text = format!("{fault} {fault:?} {store:?} {}", store.name());
            assert!(
                !text.contains("s3cret") && !text.contains("wrong"),
                "{text}"
            );
            text
        };
        let url = server.url();
        let text = refused(Etcd::from_url(&url).unwrap()).await;
        assert!(
            text.contains("give `EtcdLocks` a user and a password"),
            "{text}"
        );
        let text = refused(Etcd::from_url(&url).unwrap().login("root", "wrong")).await;
        assert!(text.contains("look at the user and the password"), "{text}");
        let text = refused(Etcd::from_url(&url).unwrap().login("nobody", "s3cret")).await;
        assert!(text.contains("grant-permission"), "{text}");
        let store = Etcd::from_url(&url.replace("://", "://root:s3cret@")).unwrap();
        let session = store.open(&member(LONG)).await.unwrap();
        let (a, b) = (claim("a"), claim("a"));
        granted(session.acquire(&a, Asked::Once).await);
        // The tokens are in the server's memory alone, and it forgets them.
        server.restart();
        while session.renew(&[]).await.is_err() {}
        busy(session.acquire(&b, Asked::Waiting).await);
        let freed = session.freed(&b);
        session.release(&a).await.unwrap();
        freed.await.unwrap();
        granted(session.acquire(&b, Asked::Waiting).await);
    });
}

#[test]
fn a_login_that_the_server_does_not_want_harms_nothing() {
    with(async |server| {
        let store = Etcd::from_url(&server.url())
            .unwrap()
            .login("root", "s3cret");
        let session = store.open(&member(LONG)).await.unwrap();
        granted(session.acquire(&claim("a"), Asked::Once).await);
    });
}

#[test]
fn a_server_of_another_kind_is_refused() {
    let refuse = async |port: u16| {
        let store = Etcd::from_url(&format!("etcd://127.0.0.1:{port}")).unwrap();
        let fault = loop {
            match store.open(&member(LONG)).await.err().expect("refused") {
                // It may close the connection before its answer is read.
                Fault::Unknown(_) => {}
                fault => break fault,
            }
        };
        assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
        assert!(
            fault
                .to_string()
                .contains("is it the port for clients of an etcd"),
            "{fault}"
        );
    };
    if Redis::available() {
        let redis = Redis::start();
        run(refuse(redis.port()));
    }
    run(refuse(another_server()));
}

/// A port at which something answers that is no etcd.
fn another_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            let _ = stream.write_all(answer);
            // Closed before it is read, it would take the answer along.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    port
}

#[test]
fn a_node_that_refuses_by_itself_is_left_for_the_next_one() {
    with(async |server| {
        // As one would whose certificate has expired.
        let url = format!(
            "etcd://127.0.0.1:{},127.0.0.1:{}",
            another_server(),
            server.port()
        );
        // Each begins with any of the two.
        for _ in 0..16 {
            let session = open(&url, LONG).await;
            granted(session.acquire(&claim("a"), Asked::Once).await);
            session.close().await;
        }
    });
}

#[test]
fn a_node_that_is_down_may_do_what_another_one_refuses() {
    run(async {
        let url = format!("etcd://127.0.0.1:{},127.0.0.1:1", another_server());
        for _ in 0..16 {
            let store = Etcd::from_url(&url).unwrap();
            let fault = store.open(&member(LONG)).await.err().unwrap();
            assert!(!matches!(fault, Fault::Refused(_)), "{fault:?}");
        }
    });
}

#[test]
fn nobody_at_the_port_is_told_as_such() {
    run(async {
        let store = Etcd::from_url("etcd://127.0.0.1:1,127.0.0.1:2").unwrap();
        let fault = store
            .open(&member(LONG))
            .await
            .err()
            .expect("nobody is there");
        assert!(matches!(fault, Fault::NotDone(_)), "{fault:?}");
        // Each of them, beginning with any.
        let text = fault.to_string();
        for part in ["refused", "127.0.0.1:1 (", "127.0.0.1:2 ("] {
            assert!(text.contains(part), "{text}");
        }
    });
}
