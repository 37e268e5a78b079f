//! Patterns and attributes in the argument list.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

struct Point {
    x: u32,
    y: u32,
}

#[synchronized(key = (x, y))]
fn destructured(Point { x, y }: Point, [first, ..]: [u32; 2]) -> bool {
    is_locked((x, y)) && first == 1
}

#[synchronized(key = a)]
fn mutable((mut a, _): (u32, u32), mut values: Vec<u32>, _: u32, _unused: u32) -> u32 {
    a += 1;
    values.push(a);
    values.iter().sum()
}

#[synchronized(key = name)]
fn moved_in_the_body(name: String) -> String {
    name
}

#[synchronized(key = name)]
async fn moved_in_the_async_body(mut name: String, (a, b): (u32, u32)) -> String {
    name.push('!');
    assert!(a < b);
    name
}

#[synchronized(key = id)]
fn configured(
    #[cfg(any())] missing: u32,
    #[cfg(all())] id: u32,
    #[allow(unused_variables)] unused: u32,
) -> bool {
    is_locked(id)
}

#[synchronized(key = *id)]
fn by_ref(ref id: u32, text @ ("a" | "b" | _): &str) -> bool {
    is_locked(id) && text == "a"
}

fn main() {
    assert!(destructured(Point { x: 1, y: 2 }, [1, 2]));
    assert_eq!(mutable((1, 2), vec![3], 4, 5), 5);
    assert_eq!(moved_in_the_body("a".into()), "a");
    assert_eq!(block_on(moved_in_the_async_body("a".into(), (1, 2))), "a!");
    assert!(configured(7, 8));
    assert!(by_ref(7, "a"));
}
