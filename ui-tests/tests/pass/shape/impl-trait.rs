//! `impl Trait` in and out, with lifetimes and precise captures.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{LockKey, is_locked, synchronized};
use std::fmt::{Debug, Display};
use std::future::Future;

#[synchronized(key = key)]
fn arguments(key: &impl LockKey, values: impl IntoIterator<Item = impl Display>) -> String {
    assert!(is_locked(key));
    values.into_iter().map(|value| value.to_string()).collect()
}

#[synchronized("out")]
fn out(values: &[u32]) -> impl DoubleEndedIterator<Item = &u32> + ExactSizeIterator + '_ {
    values.iter()
}

#[synchronized("captures")]
fn captures<'a, T: Clone>(values: &'a [T], _key: &str) -> impl Iterator<Item = T> + use<'a, T> {
    values.iter().cloned()
}

#[synchronized("nested")]
fn nested(add: u32) -> impl Fn(u32) -> Box<dyn Debug> {
    move |value| Box::new(value + add)
}

#[synchronized("tuple")]
fn tuple() -> (impl Display, impl Debug) {
    (1, 2)
}

#[synchronized(key = key)]
async fn task(key: impl LockKey + Copy, map: impl AsyncFn(u32) -> u32) -> impl Display {
    assert!(is_locked(key));
    map(7).await
}

#[synchronized(key = id)]
fn future<T: Default + Send>(id: u32) -> impl Future<Output = (bool, T)> + Send + use<T> {
    async move { (is_locked(id), T::default()) }
}

fn main() {
    assert_eq!(arguments(&"a", [1, 2]), "12");
    assert_eq!(out(&[1, 2]).rev().copied().collect::<Vec<_>>(), [2, 1]);
    let kept = {
        let key = "key".to_owned();
        captures(&[1, 2], &key)
    };
    assert_eq!(kept.sum::<i32>(), 3);
    assert_eq!(format!("{:?}", nested(1)(2)), "3");
    let (one, two) = tuple();
    assert_eq!(format!("{one}{two:?}"), "12");
    block_on(async {
        assert_eq!(task("k", async |value| value + 1).await.to_string(), "8");
        assert_eq!(future::<u32>(7).await, (true, 0));
    });
}
