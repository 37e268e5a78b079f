//! What the compiled cases share.

#![forbid(unsafe_code)]

pub mod cases;
#[path = "../../tests/src/lossy.rs"]
mod lossy;

pub use lossy::{Lossy, LossyLocks};

use lockutils::engine::{Acquire, Mode, Space};
use lockutils::{FileLocks, Key, LockKey, Site};
use std::env;
use std::process;

/// A lock space whose locks can fail: only that of the key `"free"` can be had.
pub struct Files;

impl Files {
    fn of(keys: &[Key]) -> FileLocks {
        if keys.iter().all(|key| key.as_str() == "free") {
            FileLocks::new(env::temp_dir().join(format!("lockutils-ui-{}", process::id())))
        } else {
            FileLocks::new("")
        }
    }
}

impl Space for Files {
    type Machine = <FileLocks as Space>::Machine;

    fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<Self::Machine> {
        self.wait_all(vec![Key::new(key)], mode, site)
    }

    fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<Self::Machine> {
        Self::of(&keys).wait_all(keys, mode, site)
    }
}
