//! Patterns for arguments.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

struct Point {
    x: u32,
    y: u32,
}

#[synchronized(key = (x, y))]
fn destructured(Point { x, y }: Point, [first, ..]: [u32; 2]) -> bool {
    is_locked((x, y)) && first == 1
}

fn main() {
    assert!(destructured(Point { x: 1, y: 2 }, [1, 2]));
}
