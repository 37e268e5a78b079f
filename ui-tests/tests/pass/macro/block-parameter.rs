//! The body is a `$body:block`, and the key a `$key:expr`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

macro_rules! with_block {
    ($name:ident, $key:expr, $body:block) => {
        #[synchronized(key = $key)]
        fn $name() -> u32 $body
    };
}

with_block!(block, 1u32 + 2, { u32::from(is_locked(3)) });

fn main() {
    assert_eq!(block(), 1);
}
