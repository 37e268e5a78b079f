//! `for<'a>` in a `where` clause.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("where")]
fn where_on_nothing<F>(f: F) -> u32
where
    for<'a> F: Fn(&'a u32) -> &'a u32,
{
    *f(&7)
}

fn main() {
    assert_eq!(where_on_nothing(|value| value), 7);
}
