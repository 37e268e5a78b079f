//! A space that can't fail, in functions of every return type.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::engine::{Machine, Space};
use lockutils::{Locks, synchronized};
use std::convert::Infallible;
use std::fmt::Display;

static VMS: Locks = Locks::new("vms");

#[synchronized("a", locks = VMS)]
fn unit() {}

#[synchronized("a", locks = VMS)]
fn never() -> ! {
    std::process::exit(0)
}

#[synchronized("a", locks = VMS)]
fn iterator(end: u32) -> impl Iterator<Item = u32> {
    (0..end).map(|i| i + 1)
}

#[synchronized("a", locks = VMS)]
fn displayed(value: u32) -> impl Display + use<> {
    value
}

#[synchronized("a", locks = VMS)]
fn boxed(value: u32) -> Box<dyn Display> {
    Box::new(value)
}

#[synchronized("a", locks = VMS)]
fn converted(value: u8) -> u64 {
    value.into()
}

#[synchronized("a", locks = VMS)]
fn collected(end: u32) -> Vec<u32> {
    (0..end).collect()
}

#[synchronized("a", locks = VMS)]
fn closure(add: u32) -> impl Fn(u32) -> u32 {
    move |value| value + add
}

#[synchronized("a", locks = VMS)]
fn result(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[synchronized("a", locks = VMS)]
async fn unit_async() {}

#[synchronized("a", locks = VMS)]
async fn converted_async(value: u8) -> u64 {
    value.into()
}

#[synchronized("a", locks = VMS)]
async fn iterator_async(end: u32) -> impl Iterator<Item = u32> {
    (0..end).map(|i| i + 1)
}

#[synchronized("a", locks = VMS)]
async fn boxed_async(value: u32) -> Box<dyn Display> {
    Box::new(value)
}

#[synchronized("a", locks = VMS)]
async fn never_async() -> ! {
    never()
}

#[synchronized("a", locks = space)]
fn generic<S: Space<Machine: Machine<Failure = Infallible>> + ?Sized>(space: &S) -> u32 {
    1
}

fn main() {
    unit();
    assert_eq!(iterator(2).sum::<u32>(), 3);
    assert_eq!(displayed(7).to_string() + &boxed(8).to_string(), "78");
    assert_eq!(converted(7), 7);
    assert_eq!(collected(2), [0, 1]);
    assert_eq!(closure(1)(2), 3);
    assert!(result("x").is_err());
    assert_eq!(generic(&VMS), 1);
    block_on(async {
        unit_async().await;
        assert_eq!(converted_async(7).await, 7);
        assert_eq!(iterator_async(2).await.sum::<u32>(), 3);
        assert_eq!(boxed_async(7).await.to_string(), "7");
        drop(never_async());
    });
    never();
}
