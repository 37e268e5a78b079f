//! Locks of a server in memory, for users' tests.

use super::store::FakeStore;
use crate::space::Remote;
use std::fmt;
use std::process;
use std::time::Duration;

crate::locks_of! {
    /// Locks of a server in memory, for the tests of programs whose locks are a server's: they have the
    /// same guards and the same promises, and [`FakeLocks::server`] has a script of faults.
    ///
    /// Each that is made by `new` has a server of its own, where clones, and those of
    /// [`FakeLocks::other_process`], have their locks as well. The server keeps the fencing token of
    /// a key growing for as long as the process runs.
    ///
    /// # Examples
    ///
    /// A test of a function that looks for itself whether it has lost the lock:
    ///
    /// ```
    /// use lockutils::{Error, ErrorKind, LeaseGuard, synchronized};
    /// use lockutils_remote::FakeLocks;
    ///
    /// /// Bills an invoice, in three steps.
    /// #[synchronized("invoice-{id}", locks = locks, guard = lease)]
    /// fn bill(
    ///     locks: &FakeLocks,
    ///     id: u64,
    ///     mut step: impl FnMut(&LeaseGuard),
    /// ) -> Result<(), Error> {
    ///     for _ in 0..3 {
    ///         lease.check()?;
    ///         step(&lease);
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let locks = FakeLocks::new();
    /// bill(&locks, 7, |_| {})?;
    ///
    /// let mut steps = 0;
    /// let result = bill(&locks, 7, |lease| {
    ///     steps += 1;
    ///     if steps == 2 {
    ///         locks.server().lose("invoice-7");
    ///         pollster::block_on(lease.lost());
    ///     }
    /// });
    /// assert_eq!(result.unwrap_err().kind(), ErrorKind::Lost);
    /// assert_eq!(steps, 2);
    /// # Ok::<(), Error>(())
    /// ```
    pub struct FakeLocks(FakeStore);
}

/// What befalls the server of [`FakeLocks`], and the network between.
#[derive(Clone)]
pub struct Faults {
    store: FakeStore,
    prefix: String,
}

impl FakeLocks {
    /// A space of a new server, where nobody has anything.
    #[must_use]
    pub fn new() -> Self {
        Self(Remote::of(FakeStore::new("memory")))
    }

    /// What may befall its server.
    #[must_use]
    pub fn server(&self) -> Faults {
        Faults {
            store: self.0.store().clone(),
            prefix: self.0.settings().prefix.clone(),
        }
    }

    /// The same settings in another process, as far as the server knows: a client of its own, with
    /// another queue and another connection.
    #[must_use]
    pub fn other_process(&self) -> Self {
        let store = self.0.store();
        let pid = process::id().wrapping_add(store.count_client());
        Self(self.0.changed(|member| member.pid = pid))
    }
}

impl Default for FakeLocks {
    fn default() -> Self {
        Self::new()
    }
}

impl Faults {
    /// The holder's lease ends now, and the holder is told so.
    pub fn lose(&self, key: &str) {
        self.store.lose(&self.prefix, key);
    }

    /// There are no answers any more, nor do questions arrive, until it is mended.
    pub fn cut(&self) {
        self.store.set_cut(true);
    }

    /// Questions and answers go through again, also those that were under way.
    pub fn mend(&self) {
        self.store.set_cut(false);
    }

    /// Each answer takes so long from now on.
    pub fn delay(&self, time: Duration) {
        self.store.set_delay(time);
    }

    /// The server is restarted, which breaks all connections: with its locks and their leases, or
    /// without.
    pub fn restart(&self, keep: bool) {
        self.store.restart(keep);
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("server", &self.store)
            .finish_non_exhaustive()
    }
}
