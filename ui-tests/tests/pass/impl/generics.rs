//! Blocks with generics, lifetimes, constants and a where clause.
#![deny(warnings)]

use lockutils::{LockKey, is_locked, synchronized};

struct Cache<'a, K, const N: usize>
where
    K: LockKey,
{
    name: &'a str,
    keys: [K; N],
}

#[synchronized(key = (self.name, &self.keys[0]))]
impl<'a, K, const N: usize> Cache<'a, K, N>
where
    K: LockKey,
{
    fn first<T: From<&'a str>>(&self, _other: impl Copy) -> T {
        assert!(is_locked((self.name, &self.keys[0])));
        self.name.into()
    }

    fn all(&self) -> [(&K, &'a str); N] {
        std::array::from_fn(|at| (&self.keys[at], self.name))
    }
}

#[synchronized(key = self.keys[0])]
impl Cache<'_, u32, { 1 + 1 }> {
    fn second(&self) -> Sized<{ 1 + 1 }> {
        assert!(is_locked(self.keys[0]));
        Sized
    }
}

struct Sized<const N: usize>;

fn main() {
    let cache = Cache { name: "a", keys: [1_u32, 2] };
    assert_eq!(cache.first::<String>(1), "a");
    assert_eq!(cache.all()[1], (&2, "a"));
    cache.second();
}
