//! What `#[synchronized]` accepts, and how it says what is wrong.
//!
//! Every file of `pass` compiles and runs. Every file of `fail` has one fault, and
//! beside it the compiler's whole answer. The wording of a compiler changes between
//! versions, so the answers are compared with one version only.
//!
//! `TRYBUILD=overwrite cargo test -p lockutils-ui-tests` writes the answers anew.

use lockutils_ui_tests::cases::pass;
use std::process::Command;

/// The compiler that gave the answers.
const PINNED: &str = "rustc 1.95.";

#[test]
fn accepted() {
    let (name, package) = (env!("CARGO_PKG_NAME"), env!("CARGO_MANIFEST_DIR"));
    pass(name, package, "2024", env!("CARGO_TARGET_TMPDIR"), &[]);
}

#[test]
fn refused() {
    let version = rustc_version();
    if !version.starts_with(PINNED) {
        eprintln!("skipped fail/*.rs: their answers are those of {PINNED}x, this is {version}");
        return;
    }
    let cases = trybuild::TestCases::new();
    // With one that passes the others are built, not only checked: some faults are found only then.
    cases.pass("tests/pass/item/traits.rs");
    cases.compile_fail("tests/fail/*/*.rs");
}

fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
