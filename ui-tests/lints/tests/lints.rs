//! Whether a function with the attribute, or a type with the derive, has a warning more or
//! less than without.
//!
//! `src/lib.rs` is linted twice, without and with them, by all of rustc's and Clippy's
//! lints. What is left to find is nothing.

use std::collections::BTreeSet;
use std::process::Command;

/// Warnings, each in one line, with its place.
type Warnings = BTreeSet<String>;

const LEVELS: [&str; 18] = [
    "-Wclippy::all",
    "-Wclippy::pedantic",
    "-Wclippy::nursery",
    "-Wclippy::restriction",
    "-Wclippy::cargo",
    "-Aclippy::blanket_clippy_restriction_lints",
    // What has a lock can't be one.
    "-Aclippy::missing_const_for_fn",
    // Where a body has several, they are reported as one, at the attribute.
    "-Aclippy::implicit_return",
    // What can fail to take its lock has to return a `Result`, and a task awaits its lock.
    "-Aclippy::unnecessary_wraps",
    "-Aclippy::unused_async",
    "-Wfuture-incompatible",
    "-Wkeyword-idents",
    "-Wlet-underscore",
    "-Wnonstandard-style",
    "-Wrust-2018-idioms",
    "-Wrust-2024-compatibility",
    "-Wunused",
    "-Wtail-expr-drop-order",
];

/// `None` where there is no Clippy.
fn warnings(features: &[&str]) -> Option<Warnings> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let package = env!("CARGO_PKG_NAME");
    let mut clippy = Command::new(cargo);
    clippy.args(["clippy", "--lib", "--message-format=short", "--color=never"]);
    clippy.args(["--package", package]).args(features);
    clippy.arg("--").args(LEVELS);
    let output = clippy.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    if text.contains("no such command") || text.contains("is not installed") {
        return None;
    }
    assert!(output.status.success(), "{text}");
    let is_warning = |line: &&str| line.contains(": warning: ");
    Some(text.lines().filter(is_warning).map(str::to_owned).collect())
}

#[test]
fn attribute_and_derive_change_no_lint() {
    let (Some(without), Some(with)) = (warnings(&[]), warnings(&["--features=lockutils"])) else {
        eprintln!("skipped: there is no Clippy");
        return;
    };
    assert!(without.len() > 20, "the lints see nothing: {without:#?}");
    let more: Vec<_> = with.difference(&without).collect();
    let less: Vec<_> = without.difference(&with).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "more: {more:#?}, less: {less:#?}"
    );
}
