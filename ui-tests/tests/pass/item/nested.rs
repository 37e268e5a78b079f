//! Functions inside functions, and functions that call each other.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized("outer")]
fn outer() -> bool {
    #[synchronized("inner")]
    fn inner() -> bool {
        is_locked("outer") && is_locked("inner")
    }

    struct Vm;

    impl Vm {
        #[synchronized("method")]
        fn start(&self) -> bool {
            is_locked("outer") && is_locked("method")
        }
    }

    inner() && Vm.start() && !is_locked("inner")
}

#[synchronized("main")]
fn main() {
    assert!(is_locked("main") && outer() && !is_locked("outer"));
}
