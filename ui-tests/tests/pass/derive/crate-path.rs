//! The crate under another name.
#![deny(warnings)]

mod vendored {
    pub use lockutils as locking;
}

use vendored::locking::{Key, LockKey};

#[derive(LockKey)]
#[lock_key(crate = vendored::locking)]
struct Vm {
    host: &'static str,
    id: u32,
}

#[derive(LockKey)]
#[lock_key(crate = crate::vendored::locking)]
enum Target<T> {
    All,
    One(T),
}

fn main() {
    assert_eq!(Key::new(Vm { host: "node", id: 7 }).as_str(), "node/7");
    assert_eq!(Key::new(Target::One(7)).as_str(), "One/7");
    assert_eq!(Key::new(Target::<u32>::All).as_str(), "All");
}
