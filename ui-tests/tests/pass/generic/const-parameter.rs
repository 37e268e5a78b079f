//! A const parameter is a key.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized(key = N)]
fn constant<const N: u32>() -> [u32; 2] {
    [N; 2]
}

fn main() {
    assert_eq!(constant::<3>(), [3, 3]);
}
