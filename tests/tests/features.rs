//! What a feature of the library adds to who builds it.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::process::Command;

/// The crates that the library is built of.
fn crates(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args([
            "tree",
            "--package=lockutils",
            "--edges=normal",
            "--prefix=none",
        ])
        .args(["--no-dedupe", "--locked", "--format={p}"])
        .args(features)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let name = |line: &str| Some(line.split_once(' ')?.0.to_owned());
    text.lines().filter_map(name).collect()
}

#[test]
fn features_add_the_crates_that_are_documented_and_no_others() {
    let without = crates(&[]);
    for (features, added) in [
        ("inspect", &[][..]),
        ("metrics", &["metrics", "rapidhash", "rustversion"]),
        (
            "tracing",
            &["once_cell", "pin-project-lite", "tracing", "tracing-core"],
        ),
        ("usdt", &["probe"]),
        ("uuid", &["uuid"]),
    ] {
        let new = crates(&["--features", features]);
        let new: Vec<_> = new.difference(&without).collect();
        assert_eq!(new, added, "{features}");
    }
}

/// Who only makes an engine builds no macros.
#[test]
fn attribute_alone_needs_a_compiler_of_macros() {
    let without = crates(&["--no-default-features"]);
    let of_macros = ["lockutils-macros", "proc-macro2", "quote", "syn"];
    assert!(of_macros.iter().all(|name| !without.contains(*name)));
    assert!(!crates(&["--no-default-features", "--features", "file"]).contains("lockutils-macros"));
    let with = crates(&["--no-default-features", "--features", "attribute"]);
    assert!(of_macros.iter().all(|name| with.contains(*name)));
}
