//! The in-process space passes what every space must pass.

use lockutils::Locks;
use lockutils_tests::conformance::Engine;

struct InProcess;

impl Engine for InProcess {
    type Space = Locks;

    const EMPTY_KEY: bool = true;

    fn space() -> Locks {
        Locks::new("conformance")
    }
}

lockutils_tests::conformance!(InProcess);
