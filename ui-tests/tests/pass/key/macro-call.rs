//! The call of a macro is a key.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = stringify!(macro))]
fn macro_call() -> bool {
    is_locked("macro")
}

fn main() {
    assert!(macro_call());
}
