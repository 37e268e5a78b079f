//! Key and argument are both the macro's.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

macro_rules! both_born_here {
    ($name:ident) => {
        #[synchronized(key = id)]
        fn $name(id: u32) -> bool {
            is_locked(id)
        }
    };
}

both_born_here!(born);

fn main() {
    assert!(born(7));
}
