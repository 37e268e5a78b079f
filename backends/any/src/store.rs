//! The servers that there are, and a session of each: the one place that knows them all.

use lockutils_remote::{
    Answer, Asked, Claim, FakeStore, Fault, Freed, Kept, Loss, Member, Query, Session, Shape,
    Store, Taken,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A server of whichever kind: the [`Store`] of [`AnyLocks`](crate::AnyLocks).
#[allow(clippy::large_enum_variant, reason = "a space has one, however large")]
#[derive(Debug)]
#[non_exhaustive]
pub enum Any {
    /// In the memory of this process.
    Memory(FakeStore),
    /// As its crate has it.
    #[cfg(feature = "postgres")]
    Postgres(lockutils_postgres::Postgres),
    /// As its crate has it.
    #[cfg(feature = "etcd")]
    Etcd(lockutils_etcd::Etcd),
    /// As its crate has it.
    #[cfg(feature = "redis")]
    Redis(lockutils_redis::Redis),
}

/// A session with a server of whichever kind.
#[allow(clippy::large_enum_variant, reason = "a space has one, however large")]
#[non_exhaustive]
pub enum AnySession {
    /// In the memory of this process.
    Memory(<FakeStore as Store>::Session),
    /// As its crate has it.
    #[cfg(feature = "postgres")]
    Postgres(<lockutils_postgres::Postgres as Store>::Session),
    /// As its crate has it.
    #[cfg(feature = "etcd")]
    Etcd(<lockutils_etcd::Etcd as Store>::Session),
    /// As its crate has it.
    #[cfg(feature = "redis")]
    Redis(<lockutils_redis::Redis as Store>::Session),
}

/// What whichever it is does.
macro_rules! each {
    ($any:expr, $it:ident => $call:expr) => {
        match $any {
            Self::Memory($it) => $call,
            #[cfg(feature = "postgres")]
            Self::Postgres($it) => $call,
            #[cfg(feature = "etcd")]
            Self::Etcd($it) => $call,
            #[cfg(feature = "redis")]
            Self::Redis($it) => $call,
        }
    };
}

impl Store for Any {
    type Session = AnySession;

    fn shape(&self) -> Shape {
        each!(self, it => it.shape())
    }

    fn name(&self) -> String {
        each!(self, it => it.name())
    }

    fn locate(&self, prefix: &str, key: &str) -> Result<String, &'static str> {
        each!(self, it => it.locate(prefix, key))
    }

    async fn open(&self, member: &Arc<Member>) -> Result<AnySession, Fault> {
        Ok(match self {
            Self::Memory(it) => AnySession::Memory(it.open(member).await?),
            #[cfg(feature = "postgres")]
            Self::Postgres(it) => AnySession::Postgres(it.open(member).await?),
            #[cfg(feature = "etcd")]
            Self::Etcd(it) => AnySession::Etcd(it.open(member).await?),
            #[cfg(feature = "redis")]
            Self::Redis(it) => AnySession::Redis(it.open(member).await?),
        })
    }
}

impl Session for AnySession {
    fn lease(&self) -> Duration {
        each!(self, it => it.lease())
    }

    async fn acquire(&self, claim: &Claim, asked: Asked) -> Result<Answer, Fault> {
        each!(self, it => it.acquire(claim, asked).await)
    }

    async fn freed(&self, claim: &Claim) -> Result<Freed, Fault> {
        each!(self, it => it.freed(claim).await)
    }

    async fn release(&self, claim: &Claim) -> Result<bool, Fault> {
        each!(self, it => it.release(claim).await)
    }

    async fn renew(&self, claims: &[Arc<Claim>]) -> Result<Kept, Fault> {
        each!(self, it => it.renew(claims).await)
    }

    async fn lost(&self) -> Loss {
        each!(self, it => it.lost().await)
    }

    async fn holders(&self, query: Query<'_>) -> Result<Vec<Taken>, Fault> {
        each!(self, it => it.holders(query).await)
    }

    async fn close(&self) {
        each!(self, it => it.close().await);
    }
}

impl fmt::Debug for AnySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnySession")
    }
}
