//! The spaces of lock files pass what every space must pass, those of Python's rules as well.

use lockutils::FileLocks;
use lockutils_conformance::{Subject, conformance};
use std::path::Path;

struct Files;

impl Subject for Files {
    type Space = FileLocks;

    const EMPTY_KEY: bool = false;
    const ACROSS_PROCESSES: bool = true;
    const NAMES_HOLDER: bool = true;

    fn space(place: &Path) -> FileLocks {
        FileLocks::new(place)
    }
}

conformance!(Files);

mod oslo {
    use super::*;

    struct Oslo;

    impl Subject for Oslo {
        type Space = FileLocks;

        const EMPTY_KEY: bool = false;
        const LONG_KEYS: bool = false;
        const DISTINCT_KEYS: bool = false;
        const ACROSS_PROCESSES: bool = true;

        fn space(place: &Path) -> FileLocks {
            FileLocks::oslo(place, "nova")
        }
    }

    conformance!(Oslo);
}
