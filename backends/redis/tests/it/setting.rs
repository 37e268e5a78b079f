//! What the tests of sessions share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use lockutils_redis::{Redis, RedisSession};
use lockutils_remote::{
    Answer, Asked, Claim, Fault, FromUrl as _, Loss, Member, Session as _, Store as _,
};

/// Longer than anything takes that isn't broken.
pub(crate) const LONG: Duration = lockutils_conformance::LIMIT;

pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let in_time = async {
        tokio::time::timeout(LONG, test)
            .await
            .expect("it doesn't hang")
    };
    runtime.unwrap().block_on(in_time)
}

pub(crate) fn member() -> Member {
    Member {
        prefix: "lockutils".into(),
        // Nobody renews it.
        lease: LONG,
        answer_timeout: LONG,
        host: "web-3".into(),
        pid: 812,
        command: "billing".into(),
        is_for_another: false,
    }
}

pub(crate) async fn open(url: &str) -> RedisSession {
    open_as(url, member()).await.unwrap()
}

pub(crate) async fn two_sessions(
    server: &lockutils_servers::Redis,
) -> (RedisSession, RedisSession) {
    let url = server.url();
    (open(&url).await, open(&url).await)
}

pub(crate) async fn open_as(url: &str, member: Member) -> Result<RedisSession, Fault> {
    Redis::from_url(url).unwrap().open(&Arc::new(member)).await
}

pub(crate) fn claim(key: &str) -> Arc<Claim> {
    claim_of("lockutils", key)
}

pub(crate) fn claim_of(prefix: &str, key: &str) -> Arc<Claim> {
    static LAST: AtomicU64 = AtomicU64::new(1 << 40);
    let store = Redis::from_url("redis://anywhere").unwrap();
    Arc::new(Claim {
        name: store.locate(prefix, key).unwrap(),
        key: key.into(),
        nonce: LAST.fetch_add(1, Ordering::Relaxed).into(),
        shared: false,
        site: "src/bill.rs:41".into(),
        since: SystemTime::now(),
    })
}

pub(crate) async fn granted(session: &RedisSession, claim: &Claim) -> u64 {
    match session.acquire(claim, Asked::Waiting).await.unwrap() {
        Answer::Granted(fence) => fence,
        busy @ Answer::Busy(_) => panic!("{busy:?}"),
    }
}

pub(crate) async fn is_busy(session: &RedisSession, claim: &Claim) -> bool {
    matches!(
        session.acquire(claim, Asked::Waiting).await.unwrap(),
        Answer::Busy(_)
    )
}

/// The claim is told to be lost.
pub(crate) fn is(loss: Loss, nonces: &[u128]) {
    match loss {
        Loss::Claim(nonce) => assert!(nonces.contains(&nonce)),
        Loss::Session(fault) => panic!("{fault}"),
    }
}

/// Somebody with `redis-cli`.
pub(crate) fn admin(url: &str) -> redis::Connection {
    redis::Client::open(url).unwrap().get_connection().unwrap()
}
