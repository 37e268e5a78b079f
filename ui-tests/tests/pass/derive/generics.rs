//! The types of the fields have to be keys, and nothing is asked of other parameters.
#![deny(warnings)]

use lockutils::{Key, LockKey, is_locked, synchronized};
use std::collections::HashMap;
use std::marker::PhantomData;

#[derive(LockKey)]
struct Newtype<T>(T);

#[derive(LockKey)]
struct Pair<A, B = u32>
where
    A: Clone,
{
    first: A,
    second: B,
}

/// Neither marks nor caches have to be keys.
#[derive(LockKey)]
struct Id<T: ?Sized, S> {
    number: u64,
    #[lock_key(skip)]
    of: PhantomData<fn(&T)>,
    #[lock_key(skip)]
    cache: HashMap<u32, S>,
}

/// A parameter of a field's type that the field isn't made a key by.
#[derive(LockKey)]
struct OfId<T> {
    id: Id<T, ()>,
    zone: u32,
}

trait Kind {
    type Raw;
}

struct NotAKey;

impl Kind for NotAKey {
    type Raw = u32;
}

#[derive(LockKey)]
struct Associated<T: Kind>(T::Raw);

#[derive(LockKey)]
struct Qualified<T: Kind>(<T as Kind>::Raw, Box<T::Raw>);

#[derive(LockKey)]
struct Borrowed<'a, 'b: 'a, T: ?Sized> {
    first: &'a T,
    second: &'b &'a mut T,
}

#[derive(LockKey)]
struct Constant<const N: usize>(Text<N>);

#[derive(LockKey)]
struct Defaults<const N: usize = 3, const B: bool = true> {
    a: u32,
    b: Text<N>,
}

struct Text<const N: usize>;

impl<const N: usize> LockKey for Text<N> {
    fn write_key(&self, out: &mut lockutils::KeyWriter<'_>) {
        N.write_key(out);
    }
}

#[derive(LockKey)]
enum Either<L, R> {
    Left(L),
    Right { right: R },
    Neither,
}

#[synchronized(key = key)]
fn holds<T: LockKey>(key: &Either<Newtype<T>, u32>) -> bool {
    is_locked(key)
}

fn text(key: impl LockKey) -> String {
    Key::new(key).to_string()
}

fn id<T: ?Sized>(number: u64) -> Id<T, ()> {
    Id { number, of: PhantomData, cache: HashMap::new() }
}

fn main() {
    assert_eq!(text(Newtype("a")), "a");
    assert_eq!(text(Newtype(Newtype(7))), "7");
    let pair: Pair<&str> = Pair { first: "a", second: 7 };
    assert_eq!(text(pair), "a/7");
    assert_eq!(text(id::<str>(7)), "7");
    assert_eq!(text(OfId { id: id::<NotAKey>(7), zone: 1 }), "7/1");
    assert_eq!(text(Associated::<NotAKey>(7)), "7");
    assert_eq!(text(Qualified::<NotAKey>(7, Box::new(8))), "7/8");
    let borrowed = Borrowed { first: &*String::from("a"), second: &&mut *String::from("b") };
    assert_eq!(text(borrowed), "a/b");
    assert_eq!(text(Constant(Text::<5>)), "5");
    let defaults: Defaults = Defaults { a: 1, b: Text };
    assert_eq!(text(defaults), "1/3");
    assert!(holds(&Either::Left(Newtype("a"))));
    assert_eq!(text(Either::<u8, _>::Right { right: 'r' }), "Right/r");
    assert_eq!(text(Either::<u8, u8>::Neither), "Neither");
}
