//! Generics of the type and of the method, with `where`.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{LockKey, is_locked, synchronized};
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

fn main() {
    let pool = Pool { values: [1, 2] };
    assert_eq!(pool.get("a", 1), Some(&2));
    assert_eq!(block_on(pool.map(|value| value + 1)), [2, 3]);
}
