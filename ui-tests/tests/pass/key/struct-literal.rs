//! A field of a struct literal is a key.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = Point { x: 1, y: 2 }.x)]
fn struct_literal() -> bool {
    is_locked(1)
}

struct Point {
    x: u32,
    #[allow(dead_code)]
    y: u32,
}

fn main() {
    assert!(struct_literal());
}
