//! Borrows that a body gives away, takes back or keeps over the call.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;
use std::cell::{Cell, RefCell, RefMut};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

#[derive(Default)]
struct Cache {
    values: HashMap<String, Vec<u32>>,
    last: RefCell<u32>,
}

impl Cache {
    #[synchronized(key = name)]
    fn get(&mut self, name: &str) -> &mut Vec<u32> {
        if !self.values.contains_key(name) {
            self.values.insert(name.to_owned(), vec![]);
        }
        self.values.get_mut(name).expect("it was inserted")
    }

    #[synchronized(key = name)]
    async fn entry(&mut self, name: String) -> Entry<'_, String, Vec<u32>> {
        self.values.entry(name)
    }

    #[synchronized("last")]
    fn last(&self) -> RefMut<'_, u32> {
        self.last.borrow_mut()
    }

    #[synchronized(key = self.values.len())]
    fn split(&mut self) -> (&mut HashMap<String, Vec<u32>>, &mut u32) {
        (&mut self.values, self.last.get_mut())
    }
}

#[synchronized("swap")]
fn swap<'a>(first: &mut &'a str, second: &mut &'a str) {
    std::mem::swap(first, second);
}

#[synchronized("either")]
fn either<'a>(first: &'a Cell<u32>, second: &'a Cell<u32>, other: bool) -> &'a Cell<u32> {
    if other { second } else { first }
}

fn main() {
    let mut cache = Cache::default();
    cache.get("a").push(1);
    block_on(cache.entry("a".into())).or_default().push(2);
    *cache.last() += 1;
    let (values, last) = cache.split();
    *last += 1;
    assert_eq!((&values["a"][..], *last), (&[1, 2][..], 2));
    let (mut a, mut b) = ("a", "b");
    swap(&mut a, &mut b);
    assert_eq!((a, b), ("b", "a"));
    let (one, two) = (Cell::new(1), Cell::new(2));
    either(&one, &two, true).set(7);
    assert_eq!(one.get() + two.get(), 8);
}
