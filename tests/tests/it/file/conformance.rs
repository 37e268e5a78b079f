//! A space of lock files passes what every space must pass.

use lockutils::FileLocks;
use lockutils_tests::Directory;
use lockutils_tests::conformance::Engine;

struct Files;

impl Engine for Files {
    type Space = FileLocks;

    const EMPTY_KEY: bool = false;

    fn space() -> FileLocks {
        FileLocks::new(Directory::of_this_thread())
    }
}

lockutils_tests::conformance!(Files);
