//! A function that calls itself, and would give up if another thread had the lock.
#![deny(warnings)]

use lockutils::{Error, Locks, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized(key = id, locks = VMS, reentrant, shared, acquire_timeout = "1s", guard = _guard)]
fn count(id: u32, depth: u32) -> Result<u32, Error> {
    if depth == 0 { Ok(0) } else { Ok(count(id, depth - 1)? + 1) }
}

fn main() {
    assert_eq!(count(7, 3).unwrap(), 3);
}
