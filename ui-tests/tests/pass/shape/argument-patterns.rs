//! Arguments that are patterns: destructured, `mut`, `ref`, `_`, and nested ones.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

struct Vm {
    id: u32,
    name: String,
}

#[synchronized(key = first)]
fn tuple((first, mut second): (u32, u32), _: &str, _unused: char) -> u32 {
    assert!(is_locked(first));
    second += first;
    second
}

#[synchronized(key = (name, id))]
fn fields(Vm { id, ref name }: Vm) -> bool {
    is_locked((name, id))
}

#[synchronized(key = head)]
fn slices([head, tail @ ..]: [u32; 3], all @ (.., last): (u32, u32)) -> u32 {
    assert!(is_locked(head));
    tail.iter().sum::<u32>() + all.0 + last
}

#[synchronized(key = inner)]
fn references(&(ref inner, &outer): &(String, &u32), mut text: String) -> String {
    assert!(is_locked(inner));
    text.push_str(inner);
    text.push_str(&outer.to_string());
    text
}

#[synchronized("vm-{id}")]
async fn task(Vm { id, mut name }: Vm, mut count: u32) -> String {
    assert!(is_locked("vm-7"));
    count += id;
    name.push_str(&count.to_string());
    name
}

fn vm() -> Vm {
    Vm { id: 7, name: "a".into() }
}

fn main() {
    assert_eq!(tuple((1, 2), "", 'c'), 3);
    assert!(fields(vm()));
    assert_eq!(slices([1, 2, 3], (4, 5)), 14);
    assert_eq!(references(&("a".into(), &1), "b".into()), "ba1");
    assert_eq!(block_on(task(vm(), 1)), "a8");
}
