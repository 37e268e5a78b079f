//! The lock space, and what its keys can do more than others.

use std::ops::Deref;

use lockutils::engine::Refusal;
use lockutils::{Error, Handle, Key, LockKey, ReentrantHandle};
use lockutils_remote::{Remote, Store, locks_of};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Socket, Transaction};

use crate::store::Postgres;
use crate::{fault, id, sql};

locks_of! {
    /// A lock space of a `PostgreSQL` server, whose locks exclude each other in the fleet.
    ///
    /// Clones are the same space: one connection, one thread, and one queue in the process. It connects when
    /// it is used first. What it promises, and what it can't, is on the [first page](crate).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use lockutils_postgres::PostgresLocks;
    /// use std::time::Duration;
    ///
    /// let locks = PostgresLocks::new("postgres://app@db.internal/billing")?.prefix("billing");
    /// let lease = locks.key("invoice-7").lock_timeout(Duration::from_secs(5))?;
    /// println!("held with the fence {}", lease.fence());
    /// lease.release()?;
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    pub struct PostgresLocks(Postgres) from url, keys PostgresKey;
}

impl PostgresLocks {
    /// The locks of the server that a configuration of the client names, which a URL can't say all
    /// of. `tls` is what connects with TLS, or [`NoTls`](tokio_postgres::NoTls).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use lockutils_postgres::PostgresLocks;
    /// use tokio_postgres::{Config, NoTls};
    ///
    /// let mut config = Config::new();
    /// config.host("db.internal").user("app").dbname("billing");
    /// let locks = PostgresLocks::from_config(config, NoTls);
    /// ```
    #[must_use]
    pub fn from_config<T>(config: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Self::from(Remote::of(Postgres::from_config(config, tls)))
    }

    /// How many keys the process holds here at most; by default 2,000. The next one is
    /// [`Unavailable`](lockutils::ErrorKind::Unavailable).
    ///
    /// All sessions of a server share the table of its locks, whose size is `max_locks_per_transaction`
    /// x `max_connections`, and when that is full nobody can connect any more.
    #[must_use]
    pub fn most_keys(self, most_keys: usize) -> Self {
        let store = self.0.store().clone().most_keys(most_keys);
        Self::from(self.0.with_store(store))
    }
}

/// One lock of [`PostgresLocks`]: a [`Handle`], and [`lock_in`](PostgresKey::lock_in).
#[must_use = "a handle locks nothing until one of its methods is called"]
#[derive(Clone, Debug)]
pub struct PostgresKey<'a, K> {
    handle: Handle<'a, K, PostgresLocks>,
    locks: &'a PostgresLocks,
    key: Key,
}

impl<'a, K: LockKey> PostgresKey<'a, K> {
    fn new(locks: &'a PostgresLocks, key: K) -> Self {
        Self {
            key: Key::new(&key),
            handle: Handle::new(locks, key),
            locks,
        }
    }

    /// As [`Handle::shared`].
    pub fn shared(self) -> Handle<'a, K, PostgresLocks> {
        self.handle.shared()
    }

    /// As [`Handle::reentrant`].
    pub fn reentrant(self) -> ReentrantHandle<'a, K, PostgresLocks> {
        self.handle.reentrant()
    }

    /// Acquires the lock for a transaction, which gives it back when it ends: lock and effects are
    /// one, nothing can be lost in between, and no fence is needed.
    ///
    /// It excludes the holds of all others, also those of the space itself, and it may be acquired
    /// again in the same transaction. It waits in the server's queue, for as long as the
    /// transaction's `lock_timeout` allows, and the server finds deadlocks. The transaction has to be
    /// one of the same database.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](lockutils::ErrorKind::Unavailable), with the client's error as its source. The
    /// transaction can then only be rolled back.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the transaction may still get the lock, until it ends.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &mut tokio_postgres::Client, locks: &lockutils_postgres::PostgresLocks)
    /// #     -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = client.transaction().await?;
    /// locks.key("invoice-7").lock_in(&mut transaction).await?;
    /// transaction.execute("UPDATE invoices SET paid = true WHERE id = 7", &[]).await?;
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock_in(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        let remote = &self.locks.0;
        let of_lock = |refusal: Refusal| refusal.of_lock(remote.name(), self.key.clone());
        let name = remote
            .store()
            .locate(&remote.settings().prefix, self.key.as_str());
        let name = name.map_err(|reason| of_lock(Refusal::invalid_key(reason)))?;
        let number = id::named(&name);
        let number: [(&(dyn ToSql + Sync), Type); 1] = [(&number, Type::INT8)];
        let locked = transaction.query_typed(sql::LOCK_IN, &number).await;
        locked.map(drop).map_err(|error| {
            let text = fault::text(&error);
            let reason = format!("the transaction can't have it: {text}; roll it back");
            of_lock(Refusal::unavailable(reason).with_source(error))
        })
    }
}

impl<'a, K> Deref for PostgresKey<'a, K> {
    type Target = Handle<'a, K, PostgresLocks>;

    fn deref(&self) -> &Self::Target {
        &self.handle
    }
}
