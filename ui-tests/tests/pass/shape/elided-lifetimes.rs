//! Lifetimes that are not written down, also in async functions and in types.
#![deny(warnings, rust_2018_idioms)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};
use std::borrow::Cow;

struct View<'a> {
    text: &'a str,
}

impl<'a> View<'a> {
    #[synchronized(key = self.text)]
    fn of_self(&self, _other: &str) -> &'a str {
        self.text
    }

    #[synchronized(key = self.text)]
    async fn of_self_async(&self, other: View<'_>) -> View<'a> {
        assert!(is_locked(self.text) && !other.text.is_empty());
        View { text: self.text }
    }

    #[synchronized(key = other.text)]
    async fn anonymous(&mut self, other: &mut View<'a>) -> Cow<'_, str> {
        self.text = other.text;
        self.text.into()
    }
}

#[synchronized(key = view.text)]
fn view<'a>(view: &View<'a>) -> View<'a> {
    View { text: view.text }
}

#[synchronized(key = first)]
async fn several(first: &str, second: &mut Vec<String>, third: &[&str]) -> usize {
    second.extend(third.iter().map(|text| (*text).to_owned()));
    first.len() + second.len()
}

#[synchronized(key = first)]
async fn named<'a, 'b: 'a>(first: &'a str, second: &'b str) -> &'a str {
    if first.is_empty() { second } else { first }
}

fn main() {
    let text = "ab".to_owned();
    let mut first = View { text: &text };
    assert_eq!(first.of_self("x"), "ab");
    assert_eq!(view(&first).text, "ab");
    block_on(async {
        assert_eq!(first.of_self_async(View { text: "c" }).await.text, "ab");
        assert_eq!(first.anonymous(&mut View { text: "de" }).await, "de");
        assert_eq!(several("a", &mut vec![], &["b", "c"]).await, 3);
        assert_eq!(named("", &text).await, "ab");
    });
}
