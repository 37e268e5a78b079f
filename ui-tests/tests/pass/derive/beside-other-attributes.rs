//! Beside other derives, `cfg` and doc comments.
#![deny(warnings)]

use lockutils::{Key, LockKey};

/// A documented type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, LockKey)]
#[repr(C)]
#[must_use]
struct Volume {
    /// A documented field.
    #[doc(alias = "node")]
    host: String,
    #[cfg(any())]
    none: Missing,
    #[cfg(all())]
    id: u32,
    #[cfg_attr(all(), lock_key(skip))]
    load: Option<u32>,
}

#[cfg_attr(all(), derive(LockKey))]
#[derive(Default)]
enum Target {
    #[default]
    All,
    #[cfg(any())]
    None(Missing),
}

fn main() {
    let volume = Volume { host: "node".into(), id: 7, load: None };
    assert_eq!(Key::new(volume.clone()).as_str(), "node/7");
    assert_eq!(Key::new(Target::default()).as_str(), "All");
}
