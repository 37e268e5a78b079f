//! `#[synchronized]` adds no warning to a function, whatever lints its crate has switched on.
//!
//! The package `lints` is checked with the attribute and without, with every group of the
//! compiler's and of clippy's lints. Of each lint there must not be more hits with it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Groups, and lints that are in none.
const LINTS: [&str; 26] = [
    "unused",
    "let_underscore",
    "nonstandard_style",
    "rust_2018_idioms",
    "rust_2021_compatibility",
    "rust_2024_compatibility",
    "future_incompatible",
    "keyword_idents",
    "refining_impl_trait",
    "elided_lifetimes_in_paths",
    "explicit_outlives_requirements",
    "meta_variable_misuse",
    "missing_debug_implementations",
    "missing_docs",
    "single_use_lifetimes",
    "trivial_casts",
    "unit_bindings",
    "unreachable_pub",
    "unsafe_code",
    "unused_qualifications",
    "unused_results",
    "variant_size_differences",
    "clippy::all",
    "clippy::pedantic",
    "clippy::nursery",
    "clippy::restriction",
];

#[test]
fn attribute_adds_no_hit_of_any_lint() {
    let without = hits(&[]);
    let with = hits(&["--features", "locked"]);
    assert!(without.len() > 5, "the lints are on: {without:?}");
    for (lint, with) in &with {
        let without = without.get(lint).map_or(0, Vec::len);
        assert!(
            with.len() <= without,
            "{lint}, {without} without it:\n{}",
            with.join("\n")
        );
    }
}

/// What the compiler and clippy say of the package, by lint.
fn hits(features: &[&str]) -> BTreeMap<String, Vec<String>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("lints/Cargo.toml");
    let mut clippy = Command::new(env!("CARGO"));
    clippy
        .args([
            "clippy",
            "--quiet",
            "--no-deps",
            "--message-format=json",
            "--manifest-path",
        ])
        .arg(package)
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("lints"))
        .args(features)
        .arg("--")
        .args(LINTS.iter().flat_map(|lint| ["-W", lint]));
    let output = clippy.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let mut hits = BTreeMap::<_, Vec<_>>::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let message = &message["message"];
        if let (Some(lint), Some(text)) = (
            message["code"]["code"].as_str(),
            message["rendered"].as_str(),
        ) {
            hits.entry(lint.to_owned())
                .or_default()
                .push(text.to_owned());
        }
    }
    hits
}
