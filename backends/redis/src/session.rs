//! One connection with a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lockutils_remote::{
    Answer, Asked, Claim, Fault, Freed, Kept, Loss, Member, Query, Session, Taken,
};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, Pipeline, Value, from_redis_value};

use crate::script::{RENEWED, Scripts};
use crate::watch::{News, Watches};
use crate::{fault, name, value};

/// How many milliseconds a queue is kept at least when nobody asks any more.
const DAY: u64 = 86_400_000;

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
    /// What its channel is called among those of the prefix: 16 characters.
    pub(crate) id: String,
    /// The same of sessions before it, one behind the other.
    pub(crate) former: String,
    pub(crate) channels: String,
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
        let mut values = Vec::with_capacity(names.len());
        // One at a time: a client that has a channel and is behind with its answers is cut off.
        for batch in names.chunks(BATCH) {
            let names: Vec<_> = batch.iter().map(AsRef::as_ref).collect();
            let mut pipeline = redis::pipe();
            pipeline.cmd("MGET").arg(names);
            let [some]: [Vec<_>; 1] = self.send(&pipeline).await?;
            values.extend(some);
        }
        Ok(values)
    }

    /// Fills in how many wait for each of these locks: all that are in its queue, of which some may have died. Few have one,
    /// which is among the names of the prefix.
    async fn count_waiting(&self, locks: &mut [Taken], names: &[String]) -> Result<(), Fault> {
        let queues = locks.iter_mut().map(|lock| {
            let queue = name::queue(&self.member.prefix, &lock.name);
            (lock, queue)
        });
        let mut awaited: Vec<_> = queues
            .filter(|(_lock, queue)| names.binary_search(queue).is_ok())
            .collect();
        for batch in awaited.chunks_mut(BATCH) {
            let mut pipeline = redis::pipe();
            for (_lock, queue) in &*batch {
                pipeline.cmd("ZCARD").arg(queue);
            }
            let counts: Vec<usize> = self.send(&pipeline).await?;
            for ((lock, _queue), count) in batch.iter_mut().zip(counts) {
                lock.waiting = count;
            }
        }
        Ok(())
    }

    /// All names of the prefix, in order.
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
        let claim = |which| {
            Arc::new(Claim {
                name: name::open(&self.member.prefix, number),
                key: String::new(),
                nonce: u128::from(number.unsigned_abs()) << 1 | which,
                shared: false,
                site: String::new(),
                since: std::time::SystemTime::now(),
            })
        };
        let (first, second) = (claim(0), claim(1));
        // Where it is cut off half-way, nothing of it is left for longer than its lease.
        self.ask(&first, Asked::Once, 0).await?;
        self.ask(&second, Asked::Waiting, 0).await?;
        self.release(&first).await?;
        self.renew(&[Arc::clone(&second)]).await?;
        self.holders(Query::Name(&second.name)).await?;
        self.release(&second).await?;
        Ok(())
    }

    /// Asks for a lock. What this leaves in its queue is kept for so many milliseconds, or a lease.
    async fn ask(&self, claim: &Claim, asked: Asked, kept: u64) -> Result<Answer, Fault> {
        self.watches.ask(claim);
        let record = claim.record(&self.member);
        let place = value::place(claim, &self.id, self.lease, &record);
        let queue = name::queue(&self.member.prefix, &claim.name);
        let asked_at = name::asked(&self.member.prefix, &claim.name);
        let how = match asked {
            Asked::Once => "goes",
            Asked::Waiting => "waits",
        };
        let acquire = |_, script: &mut Pipeline| {
            script.arg(1).arg(&claim.name);
            script.arg(&place).arg(self.lease).arg(&record);
            script.arg(&self.fence).arg(&queue).arg(how);
            script.arg(&self.former).arg(&asked_at).arg(kept);
        };
        let script = &self.scripts.acquire;
        let answers = script.run(&self.connection, 1, acquire).await;
        if answers.is_err() {
            // It is asked for anew, or nobody wants it any more.
            self.watches.forget(claim);
        }
        let [answer] = read::<[Value; 1]>(answers?)?;
        if let Value::Array(busy) = answer {
            let (held, left): (Vec<u8>, i64) = read(busy)?;
            let taken = value::taken(&claim.name, &held);
            match asked {
                Asked::Once => self.watches.forget(claim),
                Asked::Waiting => self.watches.wait(claim, left, taken.fence),
            }
            return Ok(Answer::Busy(Some(taken)));
        }
        let fence: String = from_redis_value(answer).map_err(strange)?;
        let fence = fence.parse().map_err(strange)?;
        self.watches.hold([claim]);
        Ok(Answer::Granted(fence))
    }
}

impl Session for RedisSession {
    fn lease(&self) -> Duration {
        Duration::from_millis(self.lease)
    }

    async fn acquire(&self, claim: &Claim, asked: Asked) -> Result<Answer, Fault> {
        self.ask(claim, asked, DAY).await
    }

    async fn freed(&self, claim: &Claim) -> Result<Freed, Fault> {
        let fence = self.watches.freed(claim).await;
        Ok(fence.map_or(Freed::Ask, Freed::Granted))
    }

    async fn release(&self, claim: &Claim) -> Result<bool, Fault> {
        self.watches.forget(claim);
        let record = claim.record(&self.member);
        let place = value::place(claim, &self.id, self.lease, &record);
        let queue = name::queue(&self.member.prefix, &claim.name);
        let asked_at = name::asked(&self.member.prefix, &claim.name);
        let release = |_, script: &mut Pipeline| {
            script.arg(1).arg(&claim.name).arg(&place);
            script.arg(&self.fence).arg(&queue).arg(&self.channels);
            script.arg(&self.former).arg(&asked_at);
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
            let names: Vec<_> = changed.iter().map(|(name, ..)| name).collect();
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
                let mut held: Vec<_> = held
                    .filter_map(|(name, held)| value::read(name, held.as_deref()?))
                    .collect();
                self.count_waiting(&mut held, &names).await?;
                Ok(held)
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
