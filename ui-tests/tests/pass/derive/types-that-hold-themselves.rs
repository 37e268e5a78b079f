//! A type may be a part of its own key.
#![deny(warnings)]

use lockutils::{Key, LockKey};

#[derive(LockKey)]
enum Path<T> {
    Root(T),
    In(Box<Path<T>>, T),
}

#[derive(LockKey)]
enum List {
    End,
    Then(u32, Box<Self>),
}

fn main() {
    let path = Path::In(Box::new(Path::In(Box::new(Path::Root("a")), "b")), "c");
    assert_eq!(Key::new(path).as_str(), "In/In%2FRoot%252Fa%2Fb/c");
    let list = List::Then(1, Box::new(List::Then(2, Box::new(List::End))));
    assert_eq!(Key::new(list).as_str(), "Then/1/Then%2F2%2FEnd");
}
