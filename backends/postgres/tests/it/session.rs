//! One question at a time, and what it leaves at the server.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use lockutils_conformance::LIMIT;
use lockutils_postgres::{Postgres as Store_, PostgresSession};
use lockutils_remote::{
    Answer, Asked, Claim, Fault, Freed, FromUrl as _, Loss, Member, Query, Session as _,
    Store as _, Taken,
};
use lockutils_servers::{Postgres, Proxy};
use tokio_postgres::NoTls;

#[test]
fn fences_rise_over_releases_sessions_and_a_crash() {
    with_server(async |server| {
        let mut last = 0;
        for _ in 0..2 {
            for _ in 0..2 {
                let session = open(&server.url()).await.unwrap();
                for _ in 0..3 {
                    let claim = claim("a");
                    let fence = granted(&session, &claim).await;
                    assert!(fence > last && fence >> 40 == 1, "{fence} {last}");
                    last = fence;
                    assert!(session.release(&claim).await.unwrap());
                }
                session.close().await;
            }
            server.restart();
        }
    });
}

#[test]
fn another_session_is_excluded_until_the_release() {
    with_server(async |server| {
        let (one, two) = two_sessions(&server).await;
        let (first, second) = (claim("a"), claim("a"));
        granted(&one, &first).await;
        let answer = two.acquire(&second, Asked::Once).await.unwrap();
        assert!(matches!(answer, Answer::Busy(Some(_))), "{answer:?}");
        let Answer::Busy(Some(taken)) = two.acquire(&second, Asked::Waiting).await.unwrap() else {
            panic!("it is held");
        };
        assert_eq!(taken.host.as_deref(), Some("web-1"));
        let mut freed = Box::pin(two.freed(&second));
        poll_once(freed.as_mut()).await;
        assert!(one.release(&first).await.unwrap());
        // The notification comes before this answer.
        two.renew(&[]).await.unwrap();
        is_told(freed).await;
        granted(&two, &second).await;
        assert!(two.release(&second).await.unwrap());
        assert_eq!(held(&server).await, 0);
    });
}

#[test]
fn release_between_answer_and_wait_is_not_missed() {
    with_server(async |server| {
        let (one, two) = two_sessions(&server).await;
        let (first, second) = (claim("a"), claim("a"));
        granted(&one, &first).await;
        assert!(is_busy(&two, &second).await);
        one.release(&first).await.unwrap();
        // The notification comes before this answer.
        two.renew(&[]).await.unwrap();
        is_told(two.freed(&second)).await;
    });
}

#[test]
fn release_while_the_twin_is_taken_is_seen_by_the_second_try() {
    with_server(async |server| {
        let (one, two) = two_sessions(&server).await;
        let (first, second) = (claim("a"), claim("a"));
        granted(&one, &first).await;
        // Whoever joins the queue waits in the middle of the statement, between its two tries.
        let other = client(&server.url()).await;
        let twin = first.name.parse::<i64>().unwrap() | i64::MIN;
        let lock = "SELECT pg_advisory_lock($1)";
        other.execute(lock, &[&twin]).await.unwrap();
        let release = async {
            let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
            let deadline = Instant::now() + LIMIT;
            while other.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
                assert!(Instant::now() < deadline, "nobody waits for the twin");
            }
            assert!(one.release(&first).await.unwrap());
            let unlock = "SELECT pg_advisory_unlock($1)";
            other.execute(unlock, &[&twin]).await.unwrap();
        };
        let (answer, ()) = tokio::join!(two.acquire(&second, Asked::Waiting), release);
        let answer = answer.unwrap();
        assert!(matches!(answer, Answer::Granted(_)), "{answer:?}");
        assert!(two.release(&second).await.unwrap());
        assert_eq!(held(&server).await, 0);
    });
}

#[test]
fn leaving_the_queue_leaves_nothing() {
    with_server(async |server| {
        let (one, two) = two_sessions(&server).await;
        let (first, second) = (claim("a"), claim("a"));
        granted(&one, &first).await;
        assert!(is_busy(&two, &second).await);
        assert!(is_busy(&two, &second).await);
        assert_eq!(held(&server).await, 2);
        assert!(!two.release(&second).await.unwrap());
        assert_eq!(held(&server).await, 1);
        // Nor does it take anything from others to leave again.
        assert!(!two.release(&second).await.unwrap());
        assert!(one.release(&first).await.unwrap());
        assert!(!one.release(&first).await.unwrap());
        assert_eq!(held(&server).await, 0);
    });
}

#[test]
fn sharers_share_and_exclude_who_does_not() {
    with_server(async |server| {
        let (one, two) = two_sessions(&server).await;
        let sharers = [(); 3].map(|()| Claim {
            shared: true,
            ..claim("a")
        });
        let fences = [
            granted(&one, &sharers[0]).await,
            granted(&one, &sharers[1]).await,
            granted(&two, &sharers[2]).await,
        ];
        assert!(fences.is_sorted_by(|a, b| a < b));
        let (three, alone) = (open(&server.url()).await.unwrap(), claim("a"));
        for (session, sharer) in [(&one, 0), (&one, 1), (&two, 2)] {
            let answer = three.acquire(&alone, Asked::Once).await.unwrap();
            assert!(matches!(answer, Answer::Busy(Some(_))), "{answer:?}");
            assert!(session.release(&sharers[sharer]).await.unwrap());
        }
        granted(&three, &alone).await;
        let sharer = Claim {
            shared: true,
            ..claim("a")
        };
        assert!(is_busy(&one, &sharer).await);
    });
}

#[test]
fn dropped_acquire_is_given_back_by_the_release() {
    with_server(async |server| {
        for (kind, asked) in [Asked::Once, Asked::Waiting].into_iter().enumerate() {
            let session = open(&server.url()).await.unwrap();
            let claim = Claim {
                shared: kind == 1,
                ..claim("a")
            };
            poll_once(session.acquire(&claim, asked)).await;
            // The server deals with it first.
            assert!(session.release(&claim).await.unwrap());
            assert_eq!(held(&server).await, 0);
            // Asking again after it was not released doesn't take it twice.
            poll_once(session.acquire(&claim, asked)).await;
            granted(&session, &claim).await;
            let fence = granted(&session, &claim).await;
            assert_eq!(granted(&session, &claim).await, fence);
            assert_eq!(held(&server).await, 1);
            assert!(session.release(&claim).await.unwrap());
            assert_eq!(held(&server).await, 0);
        }
    });
}

#[test]
fn dropped_release_is_done_once() {
    with_server(async |server| {
        let session = open(&server.url()).await.unwrap();
        let (first, second) = (claim("a"), claim("a"));
        granted(&session, &first).await;
        poll_once(session.release(&first)).await;
        granted(&session, &second).await;
        assert!(session.release(&first).await.unwrap(), "it had it");
        assert!(!session.release(&first).await.unwrap());
        assert_eq!(held(&server).await, 1);
        assert!(session.release(&second).await.unwrap());
    });
}

#[test]
fn idle_session_ends_after_the_lease_and_a_renewed_one_does_not() {
    with_server(async |server| {
        // That a busy machine can renew, which may stand still for seconds.
        let lease = Duration::from_secs(10);
        let idle = Store_::from_url(&server.url())
            .unwrap()
            .open(&member(lease))
            .await
            .unwrap();
        let renewed = Store_::from_url(&server.url())
            .unwrap()
            .open(&member(lease))
            .await
            .unwrap();
        assert_eq!(renewed.lease(), lease);
        granted(&idle, &claim("a")).await;
        let kept = claim("b");
        granted(&renewed, &kept).await;
        let begun = Instant::now();
        let renewing = async {
            loop {
                renewed.renew(&[]).await.unwrap();
                tokio::time::sleep(lease / 20).await;
            }
        };
        let loss = tokio::select! {
            loss = idle.lost() => loss,
            () = renewing => unreachable!(),
        };
        assert!(begun.elapsed() >= lease * 9 / 10, "{:?}", begun.elapsed());
        let Loss::Session(Fault::Over(cause)) = loss else {
            panic!("{loss:?}");
        };
        assert!(
            cause.to_string().contains("idle-session timeout"),
            "{cause}"
        );
        let late = idle.acquire(&claim("c"), Asked::Once).await;
        assert!(matches!(late, Err(Fault::Over(_))), "{late:?}");
        assert!(renewed.release(&kept).await.unwrap());
        assert_eq!(held(&server).await, 0);
    });
}

#[test]
fn end_of_the_session_is_known_at_once() {
    with_server(async |server| {
        let proxy = Proxy::to(server.port());
        let ways: [(&str, &dyn AsyncEnd); 3] = [
            ("terminated", &Terminate(&server)),
            ("cut", &|| proxy.cut()),
            ("killed", &|| server.kill()),
        ];
        for (name, way) in ways {
            proxy.mend();
            let store = Store_::from_url(&through(&server, &proxy)).unwrap();
            // It isn't the end of its lease that is known.
            let session = store.open(&member(LIMIT * 2)).await.unwrap();
            granted(&session, &claim("a")).await;
            way.end().await;
            let loss = tokio::time::timeout(LIMIT, session.lost()).await;
            assert!(matches!(loss, Ok(Loss::Session(Fault::Over(_)))), "{name}");
        }
    });
}

#[test]
fn given_up_session_frees_its_locks_without_being_closed() {
    with_server(async |server| {
        let session = open(&server.url()).await.unwrap();
        granted(&session, &claim("a")).await;
        drop(session);
        becomes_free(&server).await;
        let session = open(&server.url()).await.unwrap();
        granted(&session, &claim("a")).await;
        session.close().await;
        becomes_free(&server).await;
    });
}

#[test]
fn holder_is_described_with_its_key_and_site() {
    with_server(async |server| {
        let (one, two) = two_sessions(&server).await;
        let claim = claim("invoice \0 ü");
        let fence = granted(&one, &claim).await;
        becomes_noted(&server).await;
        for query in [Query::Name(&claim.name), Query::All] {
            let taken = two.holders(query).await.unwrap();
            assert_eq!(taken.len(), 1, "{taken:?}");
            let taken = &taken[0];
            assert_eq!(taken.name, claim.name);
            assert_eq!(taken.key.as_deref(), Some("invoice \0 ü"));
            assert_eq!(taken.host.as_deref(), Some("web-1"));
            assert_eq!(taken.pid, Some(std::process::id()));
            assert_eq!(taken.command.as_deref(), Some("worker --all"));
            assert_eq!(taken.site.as_deref(), Some("src/x.rs:7"));
            assert_eq!(taken.fence, Some(fence));
            let since = taken.since.unwrap();
            let apart = since
                .duration_since(claim.since)
                .unwrap_or_else(|e| e.duration());
            assert!(apart < Duration::from_millis(1), "{apart:?}");
            assert_eq!(taken.waiting, 0);
        }
        let waiting = self::claim("invoice \0 ü");
        assert!(is_busy(&two, &waiting).await);
        let taken = two.holders(Query::Name(&claim.name)).await.unwrap();
        assert_eq!(taken[0].waiting, 1);
        assert!(one.release(&claim).await.unwrap());
        assert_eq!(two.holders(Query::All).await.unwrap(), []);
        let client = client(&server.url()).await;
        let rows = client
            .query("SELECT FROM public.lockutils_holders", &[])
            .await
            .unwrap();
        assert_eq!(rows.len(), 0);
    });
}

#[test]
fn what_a_dead_session_wrote_is_not_believed() {
    with_server(async |server| {
        let one = open(&server.url()).await.unwrap();
        let claim = claim("a");
        granted(&one, &claim).await;
        let two = open(&server.url()).await.unwrap();
        becomes_noted(&server).await;
        assert_eq!(two.holders(Query::All).await.unwrap().len(), 1);
        drop(one);
        becomes_free(&server).await;
        assert_eq!(two.holders(Query::All).await.unwrap(), []);
        // Nor is it by who waits for somebody who has the lock by other means.
        let other = client(&server.url()).await;
        let lock = format!("SELECT pg_advisory_lock({})", claim.name);
        other
            .batch_execute("SET application_name = 'psql'")
            .await
            .unwrap();
        other.batch_execute(&lock).await.unwrap();
        let taken = in_the_way(&two, &self::claim("a")).await;
        assert_eq!((taken.command.as_deref(), taken.pid), (Some("psql"), None));
        open(&server.url()).await.unwrap();
        assert_eq!(noted(&server).await, 0);
    });
}

/// To look at one lock the server copies all that there are, of everybody.
#[test]
fn who_waits_looks_at_all_locks_only_for_a_holder_that_is_not_noted() {
    with_server(async |server| {
        let (one, two) = two_sessions(&server).await;
        let (held, waiting) = (claim("a"), claim("a"));
        let fence = granted(&one, &held).await;
        becomes_noted(&server).await;
        let taken = in_the_way(&two, &waiting).await;
        let site = (taken.site.as_deref(), taken.fence);
        assert_eq!(site, (Some("src/x.rs:7"), Some(fence)));
        let client = client(&server.url()).await;
        // What it has asked last, see `sql`.
        let asked = "SELECT query FROM pg_stat_activity WHERE query LIKE 'WITH noted%'";
        let asked: String = client.query_one(asked, &[]).await.unwrap().get(0);
        let looks_at_all_locks = async || {
            let explain = format!("EXPLAIN (ANALYZE) {}", asked.replace("$1", &held.name));
            let plan = client.query(&explain, &[]).await.unwrap();
            let mut lines = plan.iter().map(|row| row.get::<_, &str>(0));
            let look = lines.find(|line| line.contains("pg_lock_status"));
            !look.expect("it could").contains("never executed")
        };
        assert!(!looks_at_all_locks().await);
        client
            .batch_execute("DELETE FROM public.lockutils_holders")
            .await
            .unwrap();
        assert!(looks_at_all_locks().await);
        let taken = in_the_way(&two, &waiting).await;
        assert_eq!(taken.host.as_deref(), Some("web-1"));
        assert_eq!((taken.pid, taken.site), (Some(std::process::id()), None));
    });
}

#[test]
fn most_keys_are_held_on_one_connection_and_not_more() {
    with_server(async |server| {
        let session = open(&server.url()).await.unwrap();
        let claims: Vec<_> = (0..2000).map(|n| claim(&format!("key-{n}"))).collect();
        for claim in &claims {
            granted(&session, claim).await;
        }
        let again = Claim {
            shared: true,
            ..claim("key-7")
        };
        granted(&session, &again).await;
        let more = session.acquire(&claim("more"), Asked::Once).await;
        let Err(Fault::Refused(cause)) = more else {
            panic!("{more:?}");
        };
        assert!(cause.to_string().contains("2000 keys"), "{cause}");
        session.renew(&[]).await.unwrap();
        let taken = session.holders(Query::All).await.unwrap();
        assert!(taken.len() >= 2000, "{}", taken.len());
        assert!(session.release(&claims[0]).await.unwrap());
        granted(&session, &claim("more")).await;
        let one = Store_::from_url(&server.url()).unwrap().most_keys(1);
        let one = one.open(&member(Duration::from_secs(15))).await.unwrap();
        granted(&one, &claim("x")).await;
        assert!(one.acquire(&claim("y"), Asked::Once).await.is_err());
    });
}

#[test]
fn full_lock_table_is_refused_with_the_remedy() {
    let more = [
        "-c",
        "max_connections=10",
        "-c",
        "max_locks_per_transaction=10",
    ];
    with_server_of(&more, async |server| {
        let store = Store_::from_url(&server.url())
            .unwrap()
            .most_keys(1_000_000);
        let session = store.open(&member(Duration::from_secs(15))).await.unwrap();
        let mut n = 0;
        let fault = loop {
            n += 1;
            match session
                .acquire(&claim(&format!("key-{n}")), Asked::Once)
                .await
            {
                Ok(answer) => assert!(matches!(answer, Answer::Granted(_))),
                Err(fault) => break fault,
            }
        };
        assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
        assert!(
            fault.to_string().contains("max_locks_per_transaction"),
            "{fault}"
        );
    });
}

/// Some way to end a session.
trait AsyncEnd {
    fn end(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;
}

impl<F: Fn()> AsyncEnd for F {
    fn end(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>> {
        self();
        Box::pin(async {})
    }
}

struct Terminate<'a>(&'a Postgres);

impl AsyncEnd for Terminate<'_> {
    fn end(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(terminate(self.0))
    }
}

/// Has the server end all sessions of this library.
pub(crate) async fn terminate(server: &Postgres) {
    let client = client(&server.url()).await;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE application_name LIKE 'lockutils %'";
    client.batch_execute(terminate).await.unwrap();
}

pub(crate) fn with_server(test: impl AsyncFnOnce(Postgres)) {
    with_server_of(&[], test);
}

pub(crate) fn with_server_of(more: &[&str], test: impl AsyncFnOnce(Postgres)) {
    if Postgres::available() {
        run(test(Postgres::with(more)));
    }
}

pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test)
}

pub(crate) fn member(lease: Duration) -> Arc<Member> {
    Arc::new(Member {
        prefix: "lockutils".into(),
        lease,
        answer_timeout: LIMIT,
        host: "web-1".into(),
        pid: std::process::id(),
        command: "worker --all".into(),
        is_for_another: false,
    })
}

pub(crate) async fn open(url: &str) -> Result<PostgresSession, Fault> {
    let store = Store_::from_url(url).unwrap();
    // Nobody renews it.
    store.open(&member(LIMIT * 2)).await
}

async fn two_sessions(server: &Postgres) -> (PostgresSession, PostgresSession) {
    let [one, two] = [open(&server.url()).await, open(&server.url()).await];
    (one.unwrap(), two.unwrap())
}

pub(crate) fn claim(key: &str) -> Claim {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Made once: with TLS it reads the system's certificates.
    static STORE: LazyLock<Store_> = LazyLock::new(|| Store_::from_url("postgres://host").unwrap());
    Claim {
        name: STORE.locate("lockutils", key).unwrap(),
        key: key.into(),
        nonce: NEXT.fetch_add(1, Ordering::Relaxed).into(),
        shared: false,
        site: "src/x.rs:7".into(),
        since: SystemTime::now(),
    }
}

pub(crate) async fn granted(session: &PostgresSession, claim: &Claim) -> u64 {
    match session.acquire(claim, Asked::Once).await {
        Ok(Answer::Granted(fence)) => fence,
        other => panic!("{}: {other:?}", claim.key),
    }
}

async fn is_busy(session: &PostgresSession, claim: &Claim) -> bool {
    let answer = session.acquire(claim, Asked::Waiting).await.unwrap();
    matches!(answer, Answer::Busy(_))
}

/// Who has a lock that somebody waits for in vain.
async fn in_the_way(session: &PostgresSession, claim: &Claim) -> Taken {
    match session.acquire(claim, Asked::Waiting).await {
        Ok(Answer::Busy(Some(taken))) => taken,
        other => panic!("{}: {other:?}", claim.key),
    }
}

/// Who waits for this knows already that the lock is free, and doesn't wait until it would ask again.
async fn is_told(freed: impl Future<Output = Result<Freed, Fault>>) {
    let mut freed = std::pin::pin!(freed);
    poll_fn(|cx| {
        assert!(matches!(freed.as_mut().poll(cx), Poll::Ready(Ok(_))));
        Poll::Ready(())
    })
    .await;
}

/// Sends what a future asks, and drops it.
async fn poll_once(future: impl Future) {
    let mut future = std::pin::pin!(future);
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// The URL of a server behind a proxy.
pub(crate) fn through(server: &Postgres, proxy: &Proxy) -> String {
    let (to, from) = (server.port().to_string(), proxy.port().to_string());
    server.url().replace(&to, &from)
}

pub(crate) async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// How many advisory locks are held.
pub(crate) async fn held(server: &Postgres) -> i64 {
    let client = client(&server.url()).await;
    let count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    client.query_one(count, &[]).await.unwrap().get(0)
}

/// How many holds are written down.
async fn noted(server: &Postgres) -> i64 {
    let client = client(&server.url()).await;
    let count = "SELECT count(*) FROM public.lockutils_holders";
    client.query_one(count, &[]).await.unwrap().get(0)
}

/// Waits until one hold is written down, which is done behind the holder's back.
pub(crate) async fn becomes_noted(server: &Postgres) {
    let deadline = Instant::now() + LIMIT;
    while noted(server).await == 0 {
        assert!(Instant::now() < deadline, "it is not noted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn becomes_free(server: &Postgres) {
    let deadline = Instant::now() + LIMIT;
    while held(server).await > 0 {
        assert!(Instant::now() < deadline, "it is still held");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
