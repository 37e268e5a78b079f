//! The guard's name may come from the caller of a macro, and be seen by its body.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

macro_rules! locked {
    ($name:ident, $guard:ident, $body:block) => {
        #[synchronized("a", guard = $guard)]
        fn $name() -> bool $body
    };
}

locked!(run, guard, {
    drop(guard);
    is_locked("a")
});

fn main() {
    assert!(!run());
}
