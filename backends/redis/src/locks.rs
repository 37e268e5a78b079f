//! The lock space.

use lockutils::engine::Refusal;
use lockutils_remote::{FromUrl, Remote, locks_of};

use crate::store::Redis;

locks_of! {
    /// A lock space of a Redis or Valkey server, whose locks exclude each other wherever they are
    /// taken: in this process, on other hosts.
    ///
    /// Clones are the same space: they have one connection, one thread and one queue in the process.
    /// It connects when it is used first. The [crate's page](crate) says what it promises. There are no
    /// shared locks:
    ///
    /// ```compile_fail,E0277
    /// # use lockutils_redis::RedisLocks;
    /// let locks = RedisLocks::new("redis://localhost")?;
    /// let handle = locks.key("report").shared();
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use lockutils_redis::RedisLocks;
    /// use std::time::Duration;
    ///
    /// let jobs = RedisLocks::new("redis://10.0.0.1")?.prefix("billing").ttl(Duration::from_secs(30));
    /// let lease = jobs.key("invoice-7").lock_timeout(Duration::from_secs(5))?;
    /// println!("{}", lease.fence());
    /// lease.release()?;
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    pub struct RedisLocks(Redis) from url;
}

impl RedisLocks {
    /// The locks of the server of a client, for what a URL can't say: certificates, say. Its own
    /// timeouts and its protocol version have no meaning here.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a configuration is given away"
    )]
    pub fn from_client(client: redis::Client) -> Self {
        Self(Remote::of(Redis::from_client(&client)))
    }
}

impl FromUrl for Redis {
    fn from_url(url: &str) -> Result<Self, Refusal> {
        Ok(Self::from_client(
            &crate::url::client(url).map_err(Refusal::invalid_url)?,
        ))
    }
}
