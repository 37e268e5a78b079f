//! The arguments are `$($args:tt)*`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

macro_rules! with_tokens {
    ($($args:tt)*) => {
        #[synchronized($($args)*)]
        fn tokens(id: u32) -> bool {
            is_locked(id)
        }
    };
}

with_tokens!(key = 7_u32, locks = lockutils::global());

fn main() {
    assert!(tokens(7));
}
