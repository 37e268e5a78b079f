//! Generics, bounds and `where` clauses stay where they are.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{LockKey, is_locked, synchronized};
use std::borrow::Borrow;
use std::fmt::Debug;

struct Pool<T, const SIZE: usize> {
    values: [T; SIZE],
}

impl<T: Clone + Debug, const SIZE: usize> Pool<T, SIZE> {
    #[synchronized(key = (SIZE, key))]
    fn get<'a, K>(&'a self, key: K, index: usize) -> Option<&'a T>
    where
        K: LockKey + Copy,
        T: 'a,
    {
        assert!(is_locked((SIZE, key)));
        self.values.get(index)
    }

    #[synchronized]
    async fn map<R>(&self, map: impl Fn(&T) -> R) -> Vec<R> {
        self.values.iter().map(map).collect()
    }
}

#[synchronized(key = key.borrow())]
fn borrowed<K: Borrow<str> + ?Sized>(key: &K) -> bool {
    is_locked(key.borrow())
}

#[synchronized(key = N)]
fn constant<const N: u32>() -> [u32; 2] {
    [N; 2]
}

#[synchronized("apit")]
fn argument_position(values: impl IntoIterator<Item = u32>, key: &impl LockKey) -> u32 {
    let _ = key;
    values.into_iter().sum()
}

#[synchronized("rpit")]
fn return_position<'a, T: Clone>(values: &'a [T]) -> impl Iterator<Item = T> + use<'a, T> {
    values.iter().cloned()
}

#[synchronized(key = name)]
fn elided<'a>(name: &str, value: &'a mut u32) -> &'a u32 {
    *value += name.len() as u32;
    value
}

#[synchronized("where")]
fn where_on_nothing<F>(f: F) -> u32
where
    for<'a> F: Fn(&'a u32) -> &'a u32,
{
    *f(&7)
}

fn main() {
    let pool = Pool { values: [1, 2] };
    assert_eq!(pool.get("a", 1), Some(&2));
    assert_eq!(block_on(pool.map(|value| value + 1)), [2, 3]);
    assert!(borrowed("a") && borrowed(&"b".to_owned()));
    assert_eq!(constant::<3>(), [3, 3]);
    assert_eq!(argument_position([1, 2], &"k"), 3);
    assert_eq!(return_position(&[1, 2]).count(), 2);
    assert_eq!(*elided("ab", &mut 1), 3);
    assert_eq!(where_on_nothing(|value| value), 7);
}
