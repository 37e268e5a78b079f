//! One connection with a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lockutils_remote::{Answer, Asked, Claim, Fault, Kept, Loss, Member, Query, Session, Taken};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, Pipeline, Value, from_redis_value};

use crate::script::{RENEWED, Scripts};
use crate::watch::{News, Watches};
use crate::{fault, name, value};

/// How many keys a command deals with at a time, so that the server can look after others in between.
const BATCH: usize = 500;

/// One connection with a server.
#[derive(Debug)]
pub struct RedisSession {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) scripts: Scripts,
    pub(crate) watches: Arc<Watches>,
    pub(crate) member: Arc<Member>,
    /// The lease in milliseconds, which is what the server counts.
    pub(crate) lease: u64,
    /// Where the last fencing token is.
    pub(crate) fence: String,
    pub(crate) opened: Instant,
}

impl RedisSession {
    async fn send<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, Fault> {
        let mut connection = self.connection.clone();
        pipeline
            .query_async(&mut connection)
            .await
            .map_err(fault::of)
    }

    /// What is kept at these names, in their order.
    async fn values(&self, names: &[impl AsRef<str>]) -> Result<Vec<Option<Vec<u8>>>, Fault> {
        let mut pipeline = redis::pipe();
        for batch in names.chunks(BATCH) {
            let names: Vec<_> = batch.iter().map(AsRef::as_ref).collect();
            pipeline.cmd("MGET").arg(names);
        }
        let batches: Vec<Vec<_>> = self.send(&pipeline).await?;
        Ok(batches.into_iter().flatten().collect())
    }

    /// All names of the prefix.
    async fn names(&self) -> Result<Vec<String>, Fault> {
        let pattern = name::pattern(&self.member.prefix);
        let mut names = Vec::new();
        let mut cursor = String::from("0");
        loop {
            let mut pipeline = redis::pipe();
            let scan = pipeline.cmd("SCAN").arg(&cursor);
            scan.arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
            let [(next, some)]: [(String, Vec<Vec<u8>>); 1] = self.send(&pipeline).await?;
            names.extend(
                some.into_iter()
                    .filter_map(|name| String::from_utf8(name).ok()),
            );
            if next == "0" {
                // One that moves during the scan is seen twice.
                names.sort_unstable();
                names.dedup();
                return Ok(names);
            }
            cursor = next;
        }
    }

    /// Does once what it will do all the time, so that a right that is missing is known now.
    pub(crate) async fn try_rights(&self, number: i64) -> Result<(), Fault> {
        let claim = Claim {
            name: name::open(&self.member.prefix, number),
            key: String::new(),
            nonce: u128::from(number.unsigned_abs()),
            shared: false,
            site: String::new(),
            since: std::time::SystemTime::now(),
        };
        let claim = Arc::new(claim);
        self.acquire(&claim, Asked::Once).await?;
        self.renew(&[Arc::clone(&claim)]).await?;
        self.holders(Query::Name(&claim.name)).await?;
        self.release(&claim).await?;
        Ok(())
    }
}

impl Session for RedisSession {
    fn lease(&self) -> Duration {
        Duration::from_millis(self.lease)
    }

    async fn acquire(&self, claim: &Claim, asked: Asked) -> Result<Answer, Fault> {
        self.watches.ask(claim);
        let record = claim.record(&self.member);
        let acquire = |_, script: &mut Pipeline| {
            script.arg(1).arg(&claim.name);
            script.arg(&value::nonce(claim)).arg(self.lease);
            script.arg(&record).arg(&self.fence);
        };
        let script = &self.scripts.acquire;
        let answers = script.run(&self.connection, 1, acquire).await?;
        let [answer] = read::<[Value; 1]>(answers)?;
        if let Value::Array(busy) = answer {
            let (held, left): (Vec<u8>, i64) = read(busy)?;
            match asked {
                Asked::Once => self.watches.forget(claim),
                Asked::Waiting => self.watches.wait(claim, left),
            }
            return Ok(Answer::Busy(Some(value::taken(&claim.name, &held))));
        }
        let fence: String = from_redis_value(answer).map_err(strange)?;
        let fence = fence.parse().map_err(strange)?;
        self.watches.hold([claim]);
        Ok(Answer::Granted(fence))
    }

    async fn freed(&self, claim: &Claim) -> Result<(), Fault> {
        self.watches.freed(claim).await;
        Ok(())
    }

    async fn release(&self, claim: &Claim) -> Result<bool, Fault> {
        self.watches.forget(claim);
        let release = |_, script: &mut Pipeline| {
            script.arg(1).arg(&claim.name).arg(&value::nonce(claim));
        };
        let script = &self.scripts.release;
        let answers = script.run(&self.connection, 1, release).await?;
        let [released] = read::<[i64; 1]>(answers)?;
        Ok(released == 1)
    }

    async fn renew(&self, claims: &[Arc<Claim>]) -> Result<Kept, Fault> {
        if claims.is_empty() {
            return Ok(Kept::All);
        }
        // What is older than this session is watched from its first renewal here on, which comes
        // within a lease, or it is lost; and the rest since it was granted.
        if self.opened.elapsed() <= self.lease() {
            self.watches.hold(claims.iter().map(Arc::as_ref));
        }
        let batches: Vec<_> = claims.chunks(RENEWED).collect();
        let renew = |number: usize, script: &mut Pipeline| {
            script.arg(batches[number].len());
            for claim in batches[number] {
                script.arg(&claim.name);
            }
            script.arg(self.lease);
            for claim in batches[number] {
                script.arg(&value::nonce(claim));
            }
        };
        let script = &self.scripts.renew;
        let answers = script.run(&self.connection, batches.len(), renew).await?;
        let mut lost = Vec::new();
        for (batch, answer) in answers.into_iter().enumerate() {
            let some: Vec<usize> = from_redis_value(answer).map_err(strange)?;
            lost.extend(some.into_iter().map(|number| batch * RENEWED + number));
        }
        lost.iter()
            .filter_map(|number| claims.get(*number))
            .for_each(|claim| self.watches.forget(claim));
        Ok(if lost.is_empty() {
            Kept::All
        } else {
            Kept::AllBut(lost)
        })
    }

    async fn lost(&self) -> Loss {
        loop {
            let changed = match self.watches.news().await {
                News::Over => return Loss::Session(Fault::Over("the connection has ended".into())),
                News::Lost(nonce) => return Loss::Claim(nonce),
                News::Changed(changed) => changed,
            };
            let names: Vec<_> = changed.iter().map(|(name, _)| name).collect();
            match self.values(&names).await {
                Ok(values) => self.watches.judge(&changed, &values),
                Err(fault) => return Loss::Session(fault),
            }
        }
    }

    async fn holders(&self, query: Query<'_>) -> Result<Vec<Taken>, Fault> {
        match query {
            Query::Name(name) => {
                let values = self.values(&[name]).await?;
                let held = values.into_iter().flatten();
                Ok(held.map(|held| value::taken(name, &held)).collect())
            }
            Query::All => {
                let names = self.names().await?;
                let values = self.values(&names).await?;
                let held = names.iter().zip(&values);
                Ok(held
                    .filter_map(|(name, held)| value::read(name, held.as_deref()?))
                    .collect())
            }
        }
    }

    async fn close(&self) {}
}

/// The parts of an answer.
fn read<T: FromRedisValue>(answers: Vec<Value>) -> Result<T, Fault> {
    from_redis_value(Value::Array(answers)).map_err(strange)
}

/// An answer that no such server gives.
fn strange(error: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::Unknown(error.into())
}
