//! All that every space must pass.

use lockutils_conformance::{Subject, conformance};
use lockutils_remote::FakeLocks;
use std::path::Path;

struct Fake;

impl Subject for Fake {
    type Space = FakeLocks;

    const EMPTY_KEY: bool = false;
    const LOSS: bool = true;
    const FENCE: bool = true;

    fn space(_place: &Path) -> FakeLocks {
        FakeLocks::new()
    }

    fn lose(space: &FakeLocks, key: &str) {
        space.server().lose(key);
    }
}

conformance!(Fake);
