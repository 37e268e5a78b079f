//! What is compared with: bare mutexes, and the other ways to have keyed locks.
//!
//! Each is used as its documentation shows, with its default hasher. One that wants to own its keys is
//! given a new `String` where they are texts, as its users have to do. The leaky ones keep a lock for every
//! key they ever saw.

use crate::contender::{AsyncContender, Contender, Key, Padded};
use dashmap::DashMap;
use lockable::LockPool;
use std::borrow::Borrow;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher as _};
use std::marker::PhantomData;
use std::sync::Arc;

/// A key as the contenders keep it that own their keys.
pub(crate) trait OwnedKey:
    Borrow<Self::Asked> + Clone + Eq + Hash + Send + Sync + 'static
{
    /// What those are asked by that don't need to own it.
    type Asked: Eq + Hash + ?Sized;

    fn of(key: &Key) -> Self;

    fn ask<T>(key: &Key, question: impl FnOnce(&Self::Asked) -> T) -> T;
}

impl OwnedKey for String {
    type Asked = str;

    fn of(key: &Key) -> Self {
        key.text.to_owned()
    }

    fn ask<T>(key: &Key, question: impl FnOnce(&str) -> T) -> T {
        question(key.text)
    }
}

/// Where all keys are literals.
impl OwnedKey for &'static str {
    type Asked = str;

    fn of(key: &Key) -> Self {
        key.text
    }

    fn ask<T>(key: &Key, question: impl FnOnce(&str) -> T) -> T {
        question(key.text)
    }
}

/// By number.
impl OwnedKey for u64 {
    type Asked = Self;

    fn of(key: &Key) -> Self {
        key.id()
    }

    fn ask<T>(key: &Key, question: impl FnOnce(&Self) -> T) -> T {
        question(&key.id())
    }
}

/// `"user-{id}"`, which is made anew for each question.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct OfUser(String);

impl OwnedKey for OfUser {
    type Asked = Self;

    fn of(key: &Key) -> Self {
        Self(format!("user-{}", key.id()))
    }

    fn ask<T>(key: &Key, question: impl FnOnce(&Self) -> T) -> T {
        question(&Self::of(key))
    }
}

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
        let _guard = self.lock(K::of(key));
        section();
    }
}

impl<K: OwnedKey> AsyncContender for keyed_lock::r#async::KeyedLock<K> {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        let _guard = self.lock(K::of(key)).await;
        section.await;
    }
}

impl<K: OwnedKey> Contender for LockPool<K> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = self.blocking_lock(K::of(key));
        section();
    }
}

impl<K: OwnedKey> AsyncContender for LockPool<K> {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        let _guard = self.async_lock(K::of(key)).await;
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

impl<M: Default, K: OwnedKey> LeakyMap<M, K> {
    /// The mutex of a key, out of the map: waiting with a reference into the map
    /// would block other keys, and could deadlock.
    fn mutex(&self, key: &Key) -> Arc<M> {
        // `entry` wants an owned key, so it is only for a key's first time.
        let known = K::ask(key, |asked| Some(Arc::clone(&*self.0.get(asked)?)));
        known.unwrap_or_else(|| Arc::clone(&self.0.entry(K::of(key)).or_default()))
    }
}

impl<K: OwnedKey> Contender for LeakyMap<parking_lot::Mutex<()>, K> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let mutex = self.mutex(key);
        let _guard = mutex.lock();
        section();
    }
}

impl<K: OwnedKey> Contender for LeakyMap<tokio::sync::Mutex<()>, K> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let mutex = self.mutex(key);
        let _guard = mutex.blocking_lock();
        section();
    }
}

impl<K: OwnedKey> AsyncContender for LeakyMap<tokio::sync::Mutex<()>, K> {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        let mutex = self.mutex(key);
        let _guard = mutex.lock().await;
        section.await;
    }
}

const STRIPES: usize = 1024;

/// A fixed array of mutexes, of which a key's hash picks one. Keys can meet at one
/// mutex, so it excludes more than was asked for, and two keys can deadlock.
pub(crate) struct Striped<K> {
    mutexes: Box<[Padded<parking_lot::Mutex<()>>]>,
    /// By what a stripe is picked.
    by: PhantomData<K>,
}

impl<K: OwnedKey> Striped<K> {
    pub(crate) fn new() -> Self {
        Self {
            mutexes: (0..STRIPES).map(|_| Padded::default()).collect(),
            by: PhantomData,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "any bits of the hash will do"
    )]
    fn stripe(key: &Key) -> usize {
        let mut hasher = DefaultHasher::new();
        K::ask(key, |asked| asked.hash(&mut hasher));
        hasher.finish() as usize % STRIPES
    }
}

impl<K: OwnedKey> Contender for Striped<K> {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = self.mutexes[Self::stripe(key)].0.lock();
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
            .map(|number| Striped::<String>::stripe(&Key::uuid(number)))
            .collect();
        assert_eq!(stripes.len(), 8);
    }

    #[test]
    fn leaky_map_gives_a_key_one_mutex() {
        let map = LeakyMap::<parking_lot::Mutex<()>>::default();
        let [a, b] = [0, 1].map(Key::uuid);
        assert!(Arc::ptr_eq(&map.mutex(&a), &map.mutex(&a)));
        assert!(!Arc::ptr_eq(&map.mutex(&a), &map.mutex(&b)));
    }
}
