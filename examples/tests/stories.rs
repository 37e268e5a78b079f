//! The short examples: that each of them runs, and what it asserts is true.

mod example;

use example::example;
use std::ffi::OsStr;
use std::fs;

#[test]
fn every_story_comes_to_its_end() {
    let mut stories = 0;
    for file in fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("the folder of the examples") {
        let path = file.expect("a file of it").path();
        let name = path.file_stem().and_then(OsStr::to_str).expect("UTF-8");
        // That one is a longer story, and has tests of its own.
        if path.extension() != Some(OsStr::new("rs")) || name == "cells" {
            continue;
        }
        let output = example(name).output().expect("the example starts");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {complaint}");
        stories += 1;
    }
    assert!(stories > 5, "only {stories}");
}
