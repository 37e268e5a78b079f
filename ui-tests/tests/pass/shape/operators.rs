//! Methods that the language calls: operators, iteration, dereferencing, dropping.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use std::ops::{Add, AddAssign, Deref, DerefMut, Index, Neg};
use std::sync::atomic::{AtomicBool, Ordering};

static DROPPED: AtomicBool = AtomicBool::new(false);

#[derive(Default)]
struct Counter {
    value: [i32; 1],
}

impl Add<i32> for &Counter {
    type Output = Counter;

    #[synchronized("add")]
    fn add(self, other: i32) -> Counter {
        Counter { value: [self.value[0] + other] }
    }
}

impl AddAssign<i32> for Counter {
    #[synchronized("add assign")]
    fn add_assign(&mut self, other: i32) {
        self.value[0] += other;
    }
}

impl Neg for Counter {
    type Output = i32;

    #[synchronized("neg")]
    fn neg(self) -> i32 {
        -self.value[0]
    }
}

impl Index<usize> for Counter {
    type Output = i32;

    #[synchronized(key = at)]
    fn index(&self, at: usize) -> &i32 {
        &self.value[at]
    }
}

impl Deref for Counter {
    type Target = [i32];

    #[synchronized("deref")]
    fn deref(&self) -> &[i32] {
        &self.value
    }
}

impl DerefMut for Counter {
    #[synchronized("deref mut")]
    fn deref_mut(&mut self) -> &mut [i32] {
        &mut self.value
    }
}

impl Iterator for Counter {
    type Item = i32;

    #[synchronized("next")]
    fn next(&mut self) -> Option<i32> {
        self.value[0] += 1;
        Some(self.value[0]).filter(|value| *value < 4 && is_locked("next"))
    }
}

impl Drop for Counter {
    #[synchronized("drop")]
    fn drop(&mut self) {
        DROPPED.store(is_locked("drop"), Ordering::Relaxed);
    }
}

fn main() {
    let mut counter = &Counter::default() + 1;
    counter += 1;
    counter.sort_unstable();
    assert_eq!((counter[0], counter.len(), *counter.first().unwrap()), (2, 1, 2));
    assert_eq!(-Counter { value: [1] }, -1);
    assert_eq!(counter.sum::<i32>(), 3);
    assert!(DROPPED.load(Ordering::Relaxed));
}
