//! The crate is a `$path:path`, and the space a `$space:expr`.
#![deny(warnings)]

use lockutils::synchronized;

macro_rules! with_path {
    ($path:path, $space:expr) => {
        #[synchronized("a", crate = $path, locks = $space)]
        fn path() {}
    };
}

with_path!(lockutils, lockutils::global());

fn main() {
    path();
}
