//! `mut` and `_` for arguments.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized(key = a)]
fn mutable((mut a, _): (u32, u32), mut values: Vec<u32>, _: u32, _unused: u32) -> u32 {
    a += 1;
    values.push(a);
    values.iter().sum()
}

fn main() {
    assert_eq!(mutable((1, 2), vec![3], 4, 5), 5);
}
