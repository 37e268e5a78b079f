//! An enum is the name of its variant, with the fields behind it.
#![deny(warnings)]

use lockutils::{Key, LockKey, is_locked, synchronized};

#[derive(LockKey)]
enum Target<'a> {
    Everything,
    Nothing {},
    Empty(),
    Host(&'a str),
    Port { host: &'a str, number: u16 },
    Inner(Inner),
}

#[derive(LockKey)]
enum Inner {
    First,
    Second(u32, u32),
}

/// The discriminants have no part in it.
#[derive(LockKey)]
#[repr(u8)]
enum Numbered {
    One = 1,
    Two,
}

#[derive(LockKey)]
enum Never {}

#[synchronized(key = target)]
fn scan(target: &Target) {
    assert!(is_locked(("Port", "node", 80)));
}

fn never(key: Option<Never>) -> Option<String> {
    key.map(text)
}

fn text(key: impl LockKey) -> String {
    Key::new(key).to_string()
}

fn main() {
    scan(&Target::Port { host: "node", number: 80 });
    assert_eq!(text(Target::Everything), "Everything");
    assert_eq!(text(Target::Nothing {}), "Nothing");
    assert_eq!(text(Target::Empty()), "Empty");
    assert_eq!(text(Target::Host("a/b")), "Host/a%2Fb");
    assert_eq!(text(Target::Inner(Inner::First)), "Inner/First");
    assert_eq!(text(Target::Inner(Inner::Second(1, 2))), "Inner/Second%2F1%2F2");
    assert_eq!(text((Numbered::One, Numbered::Two)), "One/Two");
    assert_eq!(never(None), None);
}
