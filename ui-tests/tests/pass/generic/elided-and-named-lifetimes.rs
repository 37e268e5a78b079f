//! One lifetime with a name and one without.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized(key = name)]
fn elided<'a>(name: &str, value: &'a mut u32) -> &'a u32 {
    *value += name.len() as u32;
    value
}

fn main() {
    assert_eq!(*elided("ab", &mut 1), 3);
}
