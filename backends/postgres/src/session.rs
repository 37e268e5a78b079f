//! One session: a connection whose server ends it when it was idle for a lease, and then frees its locks.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join3;
use lockutils_remote::{
    Answer, Asked, Claim, Fault, Freed, Kept, Loss, Member, Query, Session, Taken,
};
use tokio::sync::Notify;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Error, Row};

use crate::backend::Backend;
use crate::claims::{Claims, Leaving, Wish};
use crate::link::{Dial, Link, Task};
use crate::open::{self, Opened, Statements};
use crate::sql::Ask;
use crate::{fault, holders, id, sql};

/// One connection with a server.
pub struct PostgresSession {
    inner: Arc<Inner>,
    _noting: Task,
}

struct Inner {
    link: Link,
    claims: Arc<Mutex<Claims>>,
    statements: Statements,
    backend: Backend,
    member: Arc<Member>,
    most_keys: usize,
    /// Somebody holds what isn't noted.
    unnoted: Notify,
}

impl PostgresSession {
    pub(crate) async fn open(
        dial: &dyn Dial,
        config: &Config,
        member: &Arc<Member>,
        most_keys: usize,
    ) -> Result<Self, Fault> {
        let claims = Arc::<Mutex<Claims>>::default();
        let told = {
            let claims = Arc::clone(&claims);
            move |payload: &str| {
                let freed = payload
                    .parse()
                    .ok()
                    .and_then(|id| locked(&claims).freed(id));
                if let Some(freed) = freed {
                    freed.notify_one();
                }
            }
        };
        let Opened {
            link,
            backend,
            statements,
        } = open::open(dial, config, member, told).await?;
        let inner = Arc::new(Inner {
            link,
            claims,
            statements,
            backend,
            member: Arc::clone(member),
            most_keys,
            unnoted: Notify::new(),
        });
        let noting = Task(tokio::spawn(Arc::clone(&inner).note()));
        Ok(Self {
            inner,
            _noting: noting,
        })
    }
}

impl Session for PostgresSession {
    fn lease(&self) -> Duration {
        open::lease(&self.inner.member)
    }

    async fn acquire(&self, claim: &Claim, asked: Asked) -> Result<Answer, Fault> {
        let inner = &*self.inner;
        let client = inner.link.client()?;
        let waits = asked == Asked::Waiting;
        let ask = loop {
            let wish = inner.claims().ask(claim, waits, inner.most_keys);
            match wish {
                Wish::Send(ask) => break ask,
                Wish::Held(fence) => return Ok(Answer::Granted(fence)),
                Wish::TooMany => return Err(inner.too_many()),
                Wish::Undo => _ = self.release(claim).await?,
            }
        };
        let id = id::named(&claim.name);
        let statement = inner.statements.acquire(claim.shared, ask);
        let answer = client.query_one(statement, &[&id, &id::twin(id)]).await;
        let granted = match answer.and_then(|row| inner.granted(&row)) {
            Ok(granted) => granted?,
            Err(error) => {
                let fault = fault::of_answer(&error);
                if let Fault::Refused(_) = fault {
                    // The lock may have been taken before that failed which was to be done with it.
                    self.release(claim).await?;
                }
                return Err(fault);
            }
        };
        if let Some(fence) = granted {
            inner.claims().granted(claim, fence);
            inner.unnoted.notify_one();
            return Ok(Answer::Granted(fence));
        }
        if ask == Ask::Once {
            inner.claims().gone(claim);
        } else {
            inner.claims().queued(claim);
        }
        // A question of its own, so that who is granted doesn't pay for it.
        let statement = inner.statements.in_the_way();
        let taken = holders::in_the_way(&client, statement, &claim.name).await;
        taken.map(Answer::Busy)
    }

    async fn freed(&self, claim: &Claim) -> Result<Freed, Fault> {
        let freed = self.inner.claims().freed(id::named(&claim.name));
        if let Some(freed) = freed {
            // A session that ends notifies nobody. To block in the server's own queue, which would see it,
            // takes a connection for each key that is waited for.
            let random = RandomState::new().build_hasher().finish();
            let poll = Duration::from_millis(700 + random % 600);
            _ = tokio::time::timeout(poll, freed.notified()).await;
        }
        Ok(Freed::Ask)
    }

    async fn release(&self, claim: &Claim) -> Result<bool, Fault> {
        let inner = &*self.inner;
        let client = inner.link.client()?;
        let leaving = inner.claims().leave(claim);
        let had = match leaving {
            Some(leaving) => inner.leave(&client, claim, &leaving).await,
            // The server has dealt with it once it answers this.
            None => client
                .check_connection()
                .await
                .map(|()| inner.claims().had(claim)),
        };
        match had {
            Ok(had) => {
                inner.claims().gone(claim);
                Ok(had)
            }
            Err(error) => {
                // Nobody knows what it did; to say it twice might release what somebody else of this
                // session has got since.
                inner.link.end();
                Err(Fault::Over(fault::text(&error).into()))
            }
        }
    }

    async fn renew(&self, _: &[Arc<Claim>]) -> Result<Kept, Fault> {
        // Whatever comes, the server counts from its end on.
        let checked = self.inner.link.client()?.check_connection().await;
        checked.map_err(|error| fault::of_answer(&error))?;
        Ok(Kept::All)
    }

    async fn lost(&self) -> Loss {
        Loss::Session(Fault::Over(self.inner.link.ended().await.into()))
    }

    async fn holders(&self, query: Query<'_>) -> Result<Vec<Taken>, Fault> {
        let client = self.inner.link.client()?;
        holders::once_noted(&client, &self.inner.member, query).await
    }

    async fn close(&self) {
        self.inner.link.end();
        self.inner.link.ended().await;
    }
}

impl Inner {
    fn claims(&self) -> MutexGuard<'_, Claims> {
        locked(&self.claims)
    }

    /// The fence of a grant, of a backend that is still the same.
    fn granted(&self, row: &Row) -> Result<Result<Option<u64>, Fault>, Error> {
        let fence = self.backend.fence((row.try_get(0)?, row.try_get(1)?));
        if fence.is_err() {
            self.link.end();
        }
        Ok(fence)
    }

    fn too_many(&self) -> Fault {
        let most = self.most_keys;
        let text = format!(
            "this process has {most} keys there already, and all sessions share the server's \
             lock table; hold fewer, or allow more by `most_keys`, and give the server \
             more by max_locks_per_transaction"
        );
        Fault::Refused(text.into())
    }

    /// Gives back all that the server may have given; whether the lock was among it.
    async fn leave(
        &self,
        client: &Client,
        claim: &Claim,
        leaving: &Leaving,
    ) -> Result<bool, Error> {
        let id = id::named(&claim.name);
        let twin = id::twin(id);
        let leave = async {
            if leaving.twin {
                let twin: (&(dyn tokio_postgres::types::ToSql + Sync), Type) = (&twin, Type::INT8);
                client.query_typed(sql::LEAVE, &[twin]).await?;
            }
            Ok(())
        };
        let release = async {
            if !leaving.lock {
                return Ok(false);
            }
            let statement = self.statements.release(claim.shared);
            client.query_one(statement, &[&id, &twin]).await?.try_get(0)
        };
        let strike = async {
            if leaving.noted {
                holders::strike(client, id, claim.nonce).await;
            }
        };
        // Each is sent when it is polled first, and all are answered in one round trip.
        let (left, released, ()) = join3(leave, release, strike).await;
        left.and(released)
    }

    /// Writes down who holds what, but not what is released soon.
    async fn note(self: Arc<Self>) {
        loop {
            self.unnoted.notified().await;
            loop {
                tokio::time::sleep(holders::NOTE_DELAY).await;
                let (held, more) = self.claims().note(holders::NOTE_DELAY);
                let Ok(client) = self.link.client() else {
                    return;
                };
                if !held.is_empty() {
                    holders::note(&client, &self.member, &held).await;
                }
                if !more {
                    break;
                }
            }
        }
    }
}

fn locked(claims: &Mutex<Claims>) -> MutexGuard<'_, Claims> {
    claims.lock().unwrap_or_else(PoisonError::into_inner)
}
