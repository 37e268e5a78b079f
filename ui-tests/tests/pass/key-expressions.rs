//! Any expression is a key, evaluated once and by reference.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};
use std::num::ParseIntError;

#[synchronized(key = 1u32 + 2)]
fn arithmetic() -> bool {
    is_locked(3)
}

#[synchronized(key = -id)]
fn negated(id: i32) -> bool {
    is_locked(-id)
}

#[synchronized(key = if id > 5 { "big" } else { "small" })]
fn conditional(id: u32) -> bool {
    is_locked("big") && id == 7
}

#[synchronized(key = match name { "" => return 0, name => name })]
fn returns_before_it_locks(name: &str) -> u32 {
    assert!(is_locked(name));
    1
}

#[synchronized(key = { let digits = id.to_string(); digits + "!" })]
fn block(id: u32) -> bool {
    is_locked(format!("{id}!"))
}

#[synchronized(key = text.parse::<u32>()?)]
fn question_mark(text: &str) -> Result<bool, ParseIntError> {
    Ok(is_locked(text))
}

#[synchronized(key = (|| id + 1)())]
fn closure(id: u32) -> bool {
    is_locked(id + 1)
}

#[synchronized(key = &name[..2])]
fn prefix(name: &str) -> bool {
    is_locked(&name[..2])
}

#[synchronized(key = pick::<u32, _>(ids, |id| *id))]
fn turbofish(ids: &[u32]) -> bool {
    is_locked(ids[0])
}

fn pick<T, R>(values: &[T], map: impl Fn(&T) -> R) -> R {
    map(&values[0])
}

#[synchronized(key = id_of(name).await?)]
async fn awaited(name: &str) -> Result<bool, ParseIntError> {
    Ok(is_locked(name))
}

async fn id_of(name: &str) -> Result<u32, ParseIntError> {
    name.parse()
}

#[synchronized(key = { *count += 1; *count })]
fn evaluated_once(count: &mut u32) -> u32 {
    *count
}

#[synchronized(key = stringify!(macro))]
fn macro_call() -> bool {
    is_locked("macro")
}

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
    assert!(arithmetic() && negated(7) && conditional(7) && block(7) && closure(7));
    assert_eq!(returns_before_it_locks("") + returns_before_it_locks("a"), 1);
    assert_eq!(question_mark("7"), Ok(true));
    assert!(question_mark("x").is_err());
    assert!(prefix("abc") && turbofish(&[7, 8]) && macro_call() && struct_literal());
    assert_eq!(evaluated_once(&mut 0), 1);
    assert_eq!(block_on(awaited("7")), Ok(true));
    assert!(block_on(awaited("x")).is_err());
}
