//! Methods of impls for all types of a kind, for references, tuples and trait objects.
#![deny(warnings)]

use lockutils::{LockKey, is_locked, synchronized};
use std::fmt::{Debug, Display};

trait Start {
    fn start(&self) -> bool;
}

impl<T: LockKey> Start for [T] {
    #[synchronized(key = self[0])]
    fn start(&self) -> bool {
        is_locked(&self[0])
    }
}

impl<A: LockKey + ?Sized, B: Debug> Start for (&A, B) {
    #[synchronized(key = self.0)]
    fn start(&self) -> bool {
        is_locked(self.0)
    }
}

impl Start for dyn Display {
    #[synchronized(key = format_args!("{self}"))]
    fn start(&self) -> bool {
        is_locked("7")
    }
}

impl<F: Fn() -> u32> Start for F {
    #[synchronized(key = self())]
    fn start(&self) -> bool {
        is_locked(self())
    }
}

impl Start for str {
    #[synchronized(key = self)]
    fn start(&self) -> bool {
        is_locked(self)
    }
}

fn main() {
    assert!([1, 2][..].start() && ("a", 1.5).start() && "text".start());
    let object: &dyn Display = &7;
    assert!(object.start() && (|| 7).start());
}
