//! Tests that have a process of their own: what they do to all locks of a process would disturb others, or would be
//! disturbed.

use std::env;
use std::process::Command;

const VARIABLE: &str = "LOCKUTILS_TEST_ALONE";

/// Whether the test, by its whole path, is the only one in this process. If it isn't, it is run in a process in which it
/// is, and this one has nothing more to do.
pub(crate) fn is_alone(test: &str) -> bool {
    if env::var_os(VARIABLE).is_some() {
        return true;
    }
    let (_, path) = test.split_once("::").expect("the crate's name is first");
    let mut alone = Command::new(env::current_exe().unwrap());
    alone.args(["--exact", path]).env(VARIABLE, "1");
    let output = alone.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let has_passed = output.status.success() && printed.contains(" 1 passed");
    assert!(has_passed, "{path}: {output:?}");
    false
}
