//! Tests that take locks in two orders, since that is what they are about.

use lockutils_conformance::skip;
use std::env;

/// Whether a test can't run, since locks that are taken in two orders panic in this run
/// (`LOCKUTILS_LOCK_ORDER=panic`), and it takes some so. Says why it does.
///
/// ```
/// fn cycle_is_reported() {
///     if lockutils_tests::is_out_of_order("two processes are to wait for each other") {
///         return;
///     }
///     // ..
/// }
/// # cycle_is_reported();
/// ```
#[must_use]
pub fn is_out_of_order(why: &str) -> bool {
    let is_refused = env::var("LOCKUTILS_LOCK_ORDER").is_ok_and(|value| value == "panic");
    if is_refused {
        skip(&format!("locks are taken in two orders: {why}"));
    }
    is_refused
}
