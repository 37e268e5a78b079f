//! A raw string captures as well.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(r#"raw "{id}""#)]
fn raw_text(id: u32) -> bool {
    is_locked("raw \"7\"") && id == 7
}

fn main() {
    assert!(raw_text(7));
}
