//! Values of arguments that a macro passes on.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};
use std::time::Duration;

macro_rules! job {
    ($name:ident, $timeout:literal, $when:expr, $or_else:expr) => {
        #[synchronized("job", acquire_timeout = $timeout, when = $when, or_else = $or_else)]
        fn $name() -> bool {
            is_locked("job")
        }
    };
}

job!(run, "5s", 1 + 1 == 2, |_| false);
job!(skip, "5s", false, |_| true);

macro_rules! transfer {
    ($name:ident, $keys:expr, $timeout:expr) => {
        #[synchronized(keys = $keys, acquire_timeout = $timeout)]
        fn $name() -> Result<bool, Error> {
            Ok(is_locked(1) && is_locked(2))
        }
    };
}

transfer!(transfer, [1, 2], Duration::from_secs(1));

fn main() {
    assert!(run() && !skip() && transfer().unwrap());
}
