//! What `#[synchronized]` accepts, in edition 2021.

use lockutils_ui_tests::cases::pass;

#[test]
fn accepted() {
    let (name, package) = (env!("CARGO_PKG_NAME"), env!("CARGO_MANIFEST_DIR"));
    let topics = ["derive", "impl", "shape"];
    pass(name, package, "2021", env!("CARGO_TARGET_TMPDIR"), &topics);
}
