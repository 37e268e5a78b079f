//! The lock space.

use lockutils_remote::locks_of;

use crate::store::Etcd;

locks_of! {
    /// A lock space of an etcd cluster, whose locks exclude each other on all hosts.
    ///
    /// The URL is `etcd://host:port,host:port`, of as many nodes as there are; `http://` is the same.
    /// `etcds://` and `https://` are with TLS, by the feature `rustls`. A user may stand before the
    /// hosts, as `etcd://user:password@host`, or be given by [`login`](Self::login).
    ///
    /// Clones are the same space, with one connection, one lease and one thread. There are no
    /// shared locks:
    ///
    /// ```compile_fail,E0277
    /// # use lockutils_etcd::EtcdLocks;
    /// let locks = EtcdLocks::new("etcd://localhost")?;
    /// let handle = locks.key("report").shared();
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use lockutils_etcd::EtcdLocks;
    /// use std::time::Duration;
    ///
    /// let locks = EtcdLocks::new("etcd://10.0.0.1:2379,10.0.0.2:2379")?.prefix("billing");
    /// let lease = locks.key("invoice-7").lock_timeout(Duration::from_secs(5))?;
    /// println!("held with the fence {}", lease.fence());
    /// lease.release()?;
    /// # Ok::<(), lockutils::Error>(())
    /// ```
    pub struct EtcdLocks(Etcd) from url;
}

impl EtcdLocks {
    /// Has this user ask, instead of the one of the URL.
    #[must_use]
    pub fn login(self, user: &str, password: &str) -> Self {
        self.changed(|store| store.login(user, password))
    }

    /// Turns TLS on, and believes this authority, in PEM, instead of those of the system.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn ca_certificate(self, authority: impl AsRef<[u8]>) -> Self {
        self.changed(|store| store.ca_certificate(authority))
    }

    /// Turns TLS on, and shows the server this certificate, whose key is the other one, both in PEM.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn identity(self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.changed(|store| store.identity(certificate, key))
    }

    fn changed(self, change: impl FnOnce(Etcd) -> Etcd) -> Self {
        let store = change(self.0.store().clone());
        Self(self.0.with_store(store))
    }
}
