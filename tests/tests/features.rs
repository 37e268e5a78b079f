//! What a feature of the library adds to who builds it.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::process::Command;

/// The crates that the library is built of.
fn crates(features: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args([
            "tree",
            "--package=lockutils",
            "--edges=normal",
            "--prefix=none",
        ])
        .args([
            "--no-dedupe",
            "--locked",
            "--format={p}",
            "--features",
            features,
        ])
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
    let without = crates("");
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
        let new = crates(features);
        let new: Vec<_> = new.difference(&without).collect();
        assert_eq!(new, added, "{features}");
    }
}
