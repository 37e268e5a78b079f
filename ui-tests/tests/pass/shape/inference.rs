//! Types that only the return type tells.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;
use std::collections::{BTreeMap, HashSet};

#[synchronized("a")]
fn collected(text: &str) -> BTreeMap<String, Vec<char>> {
    text.split(' ').map(|word| (word.into(), word.chars().collect())).collect()
}

#[synchronized("a")]
fn parsed(text: &str) -> Option<u16> {
    text.parse().ok()
}

#[synchronized("a")]
fn default() -> (Vec<u8>, HashSet<char>) {
    Default::default()
}

#[synchronized("a")]
async fn summed(values: &[u8]) -> u64 {
    values.iter().copied().map(Into::<u64>::into).sum()
}

#[synchronized("a")]
async fn empty() -> Vec<String> {
    let mut all = Vec::new();
    if all.is_empty() {
        all.push("a".into());
    }
    all
}

#[synchronized("a")]
fn integer() -> u8 {
    255
}

#[synchronized("a")]
fn transposed(values: Vec<Option<u32>>) -> Option<Vec<u32>> {
    values.into_iter().collect()
}

fn main() {
    assert_eq!(collected("ab c")["ab"], ['a', 'b']);
    assert_eq!(parsed("7"), Some(7));
    assert_eq!(default().0.len() + default().1.len(), 0);
    assert_eq!(block_on(summed(&[1, 2])), 3);
    assert_eq!(block_on(empty()), ["a"]);
    assert_eq!(integer(), u8::MAX);
    assert_eq!(transposed(vec![Some(1), None]), None);
}
