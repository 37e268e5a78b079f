//! The names that the arguments bring don't meet the user's.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};
use std::time::Duration;

#[synchronized(keys = [__keys, __key], acquire_timeout = __timeout, when = __begun)]
fn same_names(__keys: u32, __key: u32, __timeout: Duration, __begun: bool) -> Result<u32, Error> {
    assert!(is_locked(__keys) && is_locked(__key));
    Ok(__keys + __key)
}

#[synchronized("a", nonblocking, or_else = |_| __failure)]
fn failure(__failure: u32) -> u32 {
    __failure + 1
}

fn main() {
    assert_eq!(same_names(1, 2, Duration::ZERO, true).unwrap(), 3);
    assert_eq!(failure(1), 2);
    let _busy = lockutils::lock("a");
    assert_eq!(failure(1), 1);
}
