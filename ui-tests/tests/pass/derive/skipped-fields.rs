//! Fields that are left out, up to all of them.
#![deny(warnings)]

use lockutils::{Key, LockKey};

#[derive(LockKey)]
struct Volume {
    host: &'static str,
    #[lock_key(skip)]
    load: f64,
    id: u32,
}

/// What is left is one field, so it is the key.
#[derive(LockKey)]
struct Newtype(#[lock_key(skip)] Vec<u8>, &'static str);

#[derive(LockKey)]
struct Everything(#[lock_key(skip,)] f64);

#[derive(LockKey)]
enum Event {
    Sample(#[lock_key(skip)] f64),
    Named { name: &'static str, #[lock_key(skip)] value: Option<f64> },
}

fn text(key: impl LockKey) -> String {
    Key::new(key).to_string()
}

fn main() {
    let mut volume = Volume { host: "node", load: 0.5, id: 7 };
    assert_eq!(text(&volume), "node/7");
    volume.load = 0.7;
    assert_eq!(text(&volume), "node/7");
    let newtype = Newtype(vec![1], "a/b");
    assert_eq!((text(&newtype), newtype.0.len()), ("a/b".into(), 1));
    let everything = Everything(1.5);
    assert_eq!((text(&everything), everything.0), ("Everything".into(), 1.5));
    let event = Event::Sample(1.5);
    assert_eq!(text(&event), "Sample");
    assert!(matches!(event, Event::Sample(1.5)));
    let event = Event::Named { name: "cpu", value: None };
    assert_eq!(text(&event), "Named/cpu");
    assert!(matches!(event, Event::Named { value: None, .. }));
}
