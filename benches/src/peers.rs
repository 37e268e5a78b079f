//! What is compared with: bare mutexes, and the other ways to have keyed locks.
//!
//! Each is used as its documentation shows, with its default hasher, and is given
//! the key as `&str`; one that wants to own its keys makes the `String` itself, as
//! its users have to. The leaky ones keep a lock for every key they ever saw.

use crate::contender::{AsyncContender, Contender, Key, Padded};
use dashmap::DashMap;
use lockable::LockPool;
use std::borrow::Borrow;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher as _};
use std::sync::Arc;

/// A key as the contenders keep it that own their keys: a `String`, and where all
/// keys are literals, the literal.
pub(crate) trait OwnedKey:
    From<&'static str> + Clone + Eq + Hash + Send + Sync + 'static
{
}

impl OwnedKey for String {}
impl OwnedKey for &'static str {}

/// Bare `parking_lot` mutexes, of which a key's number picks one. The number of
/// mutexes is a constant so that picking costs next to nothing.
pub(crate) struct ParkingLot<const N: usize>([Padded<parking_lot::Mutex<()>>; N]);

impl<const N: usize> ParkingLot<N> {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Padded::default()))
    }
}

impl<const N: usize> Contender for ParkingLot<N> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = self.0[key.number % N].0.lock();
        section();
    }
}

/// One bare Tokio mutex.
#[derive(Default)]
pub(crate) struct Tokio(tokio::sync::Mutex<()>);

impl AsyncContender for Tokio {
    async fn locked(&self, _key: &Key, section: impl Future<Output = ()>) {
        let _guard = self.0.lock().await;
        section.await;
    }
}

impl<K: OwnedKey> Contender for keyed_lock::sync::KeyedLock<K> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = self.lock(K::from(key.text));
        section();
    }
}

impl<K: OwnedKey> AsyncContender for keyed_lock::r#async::KeyedLock<K> {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        let _guard = self.lock(K::from(key.text)).await;
        section.await;
    }
}

impl<K: OwnedKey> Contender for LockPool<K> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = self.blocking_lock(K::from(key.text));
        section();
    }
}

impl<K: OwnedKey> AsyncContender for LockPool<K> {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        let _guard = self.async_lock(K::from(key.text)).await;
        section.await;
    }
}

/// A map of mutexes that are never removed.
pub(crate) struct LeakyMap<M, K: Eq + Hash = String>(DashMap<K, Arc<M>>);

impl<M, K: Eq + Hash> Default for LeakyMap<M, K> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<M: Default, K: Eq + Hash> LeakyMap<M, K> {
    /// The mutex of a key, out of the map: waiting with a reference into the map
    /// would block other keys, and could deadlock.
    fn mutex<Q>(&self, key: &Q) -> Arc<M>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        // `entry` wants an owned key, so it is only for a key's first time.
        match self.0.get(key) {
            Some(mutex) => Arc::clone(&mutex),
            None => Arc::clone(&self.0.entry(key.to_owned()).or_default()),
        }
    }
}

impl Contender for LeakyMap<parking_lot::Mutex<()>> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let mutex = self.mutex(key.text);
        let _guard = mutex.lock();
        section();
    }
}

/// Of keys that are integers.
impl Contender for LeakyMap<parking_lot::Mutex<()>, usize> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let mutex = self.mutex(&key.number);
        let _guard = mutex.lock();
        section();
    }
}

impl Contender for LeakyMap<tokio::sync::Mutex<()>> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let mutex = self.mutex(key.text);
        let _guard = mutex.blocking_lock();
        section();
    }
}

impl AsyncContender for LeakyMap<tokio::sync::Mutex<()>> {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        let mutex = self.mutex(key.text);
        let _guard = mutex.lock().await;
        section.await;
    }
}

const STRIPES: usize = 1024;

/// A fixed array of mutexes, of which a key's hash picks one. Keys can meet at one
/// mutex, so it excludes more than was asked for, and two keys can deadlock.
pub(crate) struct Striped(Box<[Padded<parking_lot::Mutex<()>>]>);

impl Striped {
    pub(crate) fn new() -> Self {
        Self((0..STRIPES).map(|_| Padded::default()).collect())
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "any bits of the hash will do"
    )]
    fn stripe(key: &str) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish() as usize % STRIPES
    }
}

impl Contender for Striped {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = self.0[Self::stripe(key.text)].0.lock();
        section();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn threads_with_keys_of_their_own_meet_at_no_stripe() {
        let stripes: HashSet<_> = (0..8)
            .map(|number| Striped::stripe(Key::uuid(number).text))
            .collect();
        assert_eq!(stripes.len(), 8);
    }

    #[test]
    fn leaky_map_gives_a_key_one_mutex() {
        let map = LeakyMap::<parking_lot::Mutex<()>>::default();
        assert!(Arc::ptr_eq(&map.mutex("a"), &map.mutex("a")));
        assert!(!Arc::ptr_eq(&map.mutex("a"), &map.mutex("b")));
    }
}
