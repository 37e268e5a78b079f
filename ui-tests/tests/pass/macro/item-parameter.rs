//! The function is an `$item:item`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

macro_rules! with_item {
    ($item:item) => {
        #[synchronized(key = "item")]
        $item
    };
}

with_item! {
    fn item() -> bool {
        is_locked("item")
    }
}

fn main() {
    assert!(item());
}
