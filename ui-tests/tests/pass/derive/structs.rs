//! A struct is its field, the tuple of its fields, or its name.
#![deny(warnings)]

use lockutils::{Key, LockKey, is_locked, synchronized};
use std::net::IpAddr;

#[derive(LockKey)]
struct Uuid(String);

#[derive(LockKey)]
struct Named {
    path: &'static str,
}

#[derive(LockKey)]
struct Pair(&'static str, u32);

#[derive(LockKey)]
struct Volume {
    host: Uuid,
    id: u64,
}

#[derive(LockKey)]
struct Unit;

#[derive(LockKey)]
struct NoFields {}

#[derive(LockKey)]
struct Nothing();

#[derive(LockKey)]
struct Nested {
    pair: Pair,
    parts: (char, bool),
    address: IpAddr,
}

#[synchronized(key = volume)]
fn attach(volume: &Volume) {
    assert!(is_locked(("node/1", 7)));
    assert!(is_locked(volume));
}

fn text(key: impl LockKey) -> String {
    Key::new(key).to_string()
}

fn main() {
    assert_eq!(text(Uuid("a/b%".into())), "a/b%");
    assert_eq!(text(Named { path: "a/b" }), "a/b");
    assert_eq!(text(Pair("a/b", 7)), "a%2Fb/7");
    assert_eq!(text(Unit), "Unit");
    assert_eq!(text(NoFields {}), "NoFields");
    assert_eq!(text(Nothing()), "Nothing");
    let nested = Nested {
        pair: Pair("a", 1),
        parts: ('b', true),
        address: IpAddr::from([127, 0, 0, 1]),
    };
    assert_eq!(text(&nested), "a%2F1/b%2Ftrue/127.0.0.1");
    assert_eq!(text((nested.pair, "x")), "a%2F1/x");
    let host = Uuid("node/1".into());
    attach(&Volume { host, id: 7 });
}
