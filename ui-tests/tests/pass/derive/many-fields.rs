//! A struct has as many fields as it likes, more than a tuple.
#![deny(warnings)]

use lockutils::{Key, LockKey};

#[derive(LockKey)]
struct Tuple(u8, u8, u8, u8, u8, u8, u8, u8, u8, u8);

#[derive(LockKey)]
struct Fields {
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    i: u8,
}

#[derive(LockKey)]
enum Variants {
    Nine(u8, u8, u8, u8, u8, u8, u8, u8, u8),
}

fn main() {
    let tuple = Tuple(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    assert_eq!(Key::new(tuple).as_str(), "0/1/2/3/4/5/6/7/8/9");
    let fields = Fields { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9 };
    assert_eq!(Key::new(fields).as_str(), "1/2/3/4/5/6/7/8/9");
    let nine = Variants::Nine(1, 2, 3, 4, 5, 6, 7, 8, 9);
    assert_eq!(Key::new(nine).as_str(), "Nine/1/2/3/4/5/6/7/8/9");
}
