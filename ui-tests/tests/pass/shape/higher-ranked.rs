//! Bounds over all lifetimes, and trait objects with them.
#![deny(warnings)]

use futures::executor::block_on;
use futures::future::LocalBoxFuture;
use lockutils::{is_locked, synchronized};

#[synchronized("bound")]
fn bound<F>(parse: F) -> usize
where
    for<'a> F: Fn(&'a str, &'a str) -> &'a str,
    F: Send,
{
    parse("a", "bc").len()
}

#[synchronized("object")]
fn object(parse: &dyn for<'a> Fn(&'a str) -> &'a str) -> String {
    parse("ab").to_owned()
}

#[synchronized("made")]
fn made() -> impl for<'a> Fn(&'a str) -> Option<&'a str> {
    |text| text.split(',').next()
}

#[synchronized("boxed")]
fn boxed() -> Box<dyn Fn(&str) -> &str + Send> {
    Box::new(|text| &text[1..])
}

#[synchronized("async")]
async fn asynchronous<F>(visit: F) -> usize
where
    F: for<'a> Fn(&'a str) -> LocalBoxFuture<'a, usize>,
{
    visit("abc").await + usize::from(is_locked("async"))
}

fn main() {
    assert_eq!(bound(|_, second| second), 2);
    assert_eq!(object(&|text| &text[1..]), "b");
    assert_eq!(made()("a,b"), Some("a"));
    assert_eq!(boxed()("ab"), "b");
    assert_eq!(block_on(asynchronous(|text| Box::pin(async move { text.len() }))), 4);
}
