//! The key is evaluated once.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized(key = { *count += 1; *count })]
fn evaluated_once(count: &mut u32) -> u32 {
    *count
}

fn main() {
    assert_eq!(evaluated_once(&mut 0), 1);
}
