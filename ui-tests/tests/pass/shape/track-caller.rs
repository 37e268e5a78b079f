//! `#[track_caller]` still names the caller.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use std::panic::Location;

#[track_caller]
#[synchronized("above")]
fn above() -> u32 {
    assert!(is_locked("above"));
    Location::caller().line()
}

#[synchronized("below")]
#[track_caller]
fn below() -> u32 {
    Location::caller().line()
}

fn main() {
    assert_eq!(above(), line!());
    assert_eq!(below(), line!());
}
