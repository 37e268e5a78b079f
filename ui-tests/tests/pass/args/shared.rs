//! Readers share a hold.
#![deny(warnings)]

use lockutils::{Locks, synchronized};

static TABLES: Locks = Locks::new("tables");

#[synchronized(key = name, locks = TABLES, shared)]
fn read(name: &str) -> bool {
    let second = TABLES.key(name).shared().try_lock();
    second.is_ok() && TABLES.key(name).try_lock().is_err()
}

fn main() {
    assert!(read("vms"));
}
