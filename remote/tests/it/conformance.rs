//! All that every space must pass.

use lockutils_conformance::{Subject, conformance};
use lockutils_remote::FakeLocks;
use std::path::Path;

struct Fake;

impl Subject for Fake {
    type Space = FakeLocks;

    const EMPTY_KEY: bool = false;

    fn space(_place: &Path) -> FakeLocks {
        FakeLocks::new()
    }
}

conformance!(Fake);
