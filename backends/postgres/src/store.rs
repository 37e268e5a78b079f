//! A server, as a URL or a configuration names it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lockutils::engine::{Refusal, Sharable};
use lockutils_remote::{Fault, FromUrl, Member, Shape, Store};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, Socket};

use crate::link::Dial;
use crate::session::PostgresSession;
use crate::{hosts, id, tls, url};

/// How many keys a process holds at most, unless it says otherwise.
const MOST_KEYS: usize = 2000;

/// A `PostgreSQL` server.
#[derive(Clone)]
pub struct Postgres {
    config: Config,
    dial: Arc<dyn Dial>,
    most_keys: usize,
}

impl FromUrl for Postgres {
    fn from_url(url: &str) -> Result<Self, Refusal> {
        let config = url::parse(url).map_err(Refusal::invalid_url)?;
        let dial = tls::of(config.get_ssl_mode()).map_err(Refusal::invalid_url)?;
        Ok(Self {
            config,
            dial,
            most_keys: MOST_KEYS,
        })
    }
}

impl Sharable for Postgres {}

impl Postgres {
    /// The server of a configuration, with TLS as that is configured, or without by
    /// [`NoTls`](tokio_postgres::NoTls).
    #[must_use]
    pub fn from_config<T>(config: Config, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Self {
            config,
            dial: Arc::new(tls),
            most_keys: MOST_KEYS,
        }
    }

    /// How many keys one session holds at most; 2,000 by default.
    #[must_use]
    pub fn most_keys(self, most_keys: usize) -> Self {
        Self { most_keys, ..self }
    }
}

impl Store for Postgres {
    type Session = PostgresSession;

    fn shape(&self) -> Shape {
        Shape {
            one_lease: true,
            ordered: true,
            fair: false,
            least_lease: Duration::from_secs(1),
            // It counts milliseconds up to `i32::MAX`.
            greatest_lease: Duration::from_secs(24 * 86_400),
        }
    }

    fn name(&self) -> String {
        let hosts = hosts::each(&self.config);
        let hosts: Vec<_> = hosts.iter().map(hosts::name).collect();
        let hosts = hosts.join(",");
        let database = self.config.get_dbname().or(self.config.get_user());
        format!("postgres://{hosts}/{}", database.unwrap_or_default())
    }

    fn locate(&self, prefix: &str, key: &str) -> Result<String, &'static str> {
        if key.is_empty() {
            return Err("it is empty; name something");
        }
        Ok(id::of(prefix, key).to_string())
    }

    async fn open(&self, member: &Arc<Member>) -> Result<PostgresSession, Fault> {
        PostgresSession::open(&*self.dial, &self.config, member, self.most_keys).await
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.name()).finish()
    }
}
