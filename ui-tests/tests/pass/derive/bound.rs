//! What is asked for may be said by hand.
#![deny(warnings)]

use lockutils::{Key, KeyWriter, LockKey};
use std::fmt::Display;
use std::marker::PhantomData;

struct Shown<T>(T);

impl<T: Display> LockKey for Shown<T> {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        self.0.to_string().write_key(out);
    }
}

/// In place of all that is deduced.
#[derive(LockKey)]
#[lock_key(bound = "T: Display, U: LockKey + Clone")]
struct Pair<T, U>(Shown<T>, U);

/// In place of what is deduced from this field.
#[derive(LockKey)]
struct Field<T, U> {
    #[lock_key(bound = "T: Display,")]
    shown: Shown<T>,
    other: U,
    #[lock_key(skip, bound = "T: Clone")]
    of: PhantomData<T>,
}

/// Beside what the user asks for anyway, and in several attributes.
#[derive(LockKey)]
#[lock_key(bound = "Shown<T>: LockKey")]
#[lock_key(crate = lockutils)]
enum Either<T: Display>
where
    T: Clone,
{
    Left(Shown<T>),
    Right(u32),
}

/// A type whose key has nothing of the parameter.
#[derive(LockKey)]
#[lock_key(bound = "")]
struct Numbered<T>(Number<T>);

struct Number<T>(u32, PhantomData<T>);

impl<T> LockKey for Number<T> {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        self.0.write_key(out);
    }
}

/// Displayed, and no key.
#[derive(Clone)]
struct Name;

impl Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("name")
    }
}

fn text(key: impl LockKey) -> String {
    Key::new(key).to_string()
}

fn main() {
    assert_eq!(text(Pair(Shown(Name), 7)), "name/7");
    assert_eq!(text(Field { shown: Shown(Name), other: 7, of: PhantomData }), "name/7");
    assert_eq!(text(Either::Left(Shown(Name))), "Left/name");
    assert_eq!(text(Either::<Name>::Right(7)), "Right/7");
    assert_eq!(text(Numbered(Number(7, PhantomData::<Name>))), "7");
}
