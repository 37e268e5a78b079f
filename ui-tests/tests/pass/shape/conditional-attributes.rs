//! `cfg` and `cfg_attr`, around the attribute and below it.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[cfg_attr(all(), synchronized("on"))]
fn on() -> bool {
    is_locked("on")
}

#[cfg_attr(any(), synchronized("off"))]
fn off() -> bool {
    is_locked("off")
}

#[cfg_attr(all(), cfg_attr(all(), synchronized(key = id), must_use))]
fn nested(id: u32) -> bool {
    is_locked(id)
}

#[synchronized("below")]
#[cfg_attr(all(), inline, allow(unused_variables))]
fn below() -> bool {
    let unused = 1;
    is_locked("below")
}

#[synchronized("there")]
#[cfg(all())]
fn there() -> bool {
    is_locked("there")
}

#[synchronized("not there")]
#[cfg(any())]
fn there() -> Missing {
    is_locked("not there")
}

#[synchronized("statements")]
fn statements() -> u32 {
    #[cfg(any())]
    return missing();
    #[cfg(all())]
    let value = 7;
    value
}

fn main() {
    assert!(on() && !off() && nested(7) && below() && there());
    assert_eq!(statements(), 7);
}
