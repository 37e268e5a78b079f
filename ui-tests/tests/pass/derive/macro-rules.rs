//! Types that a `macro_rules` makes, whose parts have invisible delimiters.
#![deny(warnings)]

use lockutils::{Key, LockKey};

macro_rules! newtype {
    ($(#[$attr:meta])* $vis:vis $name:ident($ty:ty)) => {
        $(#[$attr])*
        #[derive(LockKey)]
        $vis struct $name($ty);
    };
}

macro_rules! generic {
    ($name:ident<$param:ident> { $($field:ident: $ty:ty,)* }) => {
        #[derive(LockKey)]
        struct $name<$param> { $($field: $ty,)* }
    };
}

macro_rules! variants {
    ($name:ident { $($variant:ident $(($ty:ty))?,)* }) => {
        #[derive(LockKey)]
        enum $name { $($variant $(($ty))?,)* }
    };
}

newtype!(#[derive(Clone)] pub Id(u32));
newtype!(Text(&'static str));
generic!(Pair<T> { first: T, second: Box<T>, });
variants!(Target { All, One(u32), });

fn main() {
    assert_eq!(Key::new(Id(7).clone()).as_str(), "7");
    assert_eq!(Key::new(Text("a/b")).as_str(), "a/b");
    assert_eq!(Key::new(Pair { first: 1, second: Box::new(2) }).as_str(), "1/2");
    assert_eq!(Key::new((Target::All, Target::One(7))).as_str(), "All/One%2F7");
}
