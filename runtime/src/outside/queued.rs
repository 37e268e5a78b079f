//! A lock space of an engine.

use super::engine::Engine;
use super::machine::Outside;
use crate::acquire::Acquire;
use crate::handle::{Handle, KeysHandle};
use crate::key::{Key, LockKey};
use crate::ordered::sort;
use crate::site::Site;
use crate::space::Space;
use crate::table::policy::Mode;
use std::sync::Arc;

/// A lock space of an [`Engine`]: callers of this process queue in the process first, and then
/// ask the engine.
///
/// Clones are the same space.
#[derive(Debug)]
pub struct Queued<E>(Arc<E>);

impl<E: Engine> Queued<E> {
    /// Makes the space of an engine.
    pub fn new(engine: E) -> Self {
        Self(Arc::new(engine))
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &E {
        &self.0
    }

    /// What texts call the space.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    #[cfg(feature = "file")]
    pub(crate) fn shared_engine(&self) -> &Arc<E> {
        &self.0
    }

    /// Names one lock of the space, for its methods to take.
    ///
    /// `key` is a value or a reference. Nothing is locked yet.
    pub fn key<K: LockKey>(&self, key: K) -> Handle<'_, K, Self> {
        Handle::new(self, key)
    }

    /// Names several locks of the space, to be taken together.
    ///
    /// `keys` is anything that `for` takes. They are taken in one order, so two callers can't
    /// each hold what the other waits for; one that is there twice is taken once. An empty list
    /// holds nothing and succeeds.
    pub fn keys<I>(&self, keys: I) -> KeysHandle<'_, Self>
    where
        I: IntoIterator,
        I::Item: LockKey,
    {
        KeysHandle::new(self, keys)
    }
}

impl<E: Engine> Space for Queued<E> {
    type Machine = Outside<E>;

    fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<Outside<E>> {
        match Outside::new(&self.0, Key::of(key), mode, site) {
            Ok(machine) => Acquire::one(machine),
            Err(error) => Acquire::failed(error),
        }
    }

    fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<Outside<E>> {
        let machine = |key| {
            let machine = Outside::new(&self.0, key, mode, site)?;
            Ok((self.0.order(machine.name()), machine))
        };
        let machines: Result<Vec<_>, _> = keys.into_iter().map(machine).collect();
        let mut machines = match machines {
            Ok(machines) => machines,
            Err(error) => return Acquire::failed(error),
        };
        sort(&mut machines, |(one, a), (other, b)| {
            one.cmp(other).then_with(|| a.name().cmp(b.name()))
        });
        machines.dedup_by(|(_, a), (_, b)| a.name() == b.name());
        Acquire::all(machines.into_iter().map(|(_, machine)| machine).collect())
    }
}

impl<E> Clone for Queued<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
