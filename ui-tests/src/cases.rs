//! Cases that compile and run: a package is made in which each of them is a program, all are built at
//! once, and each is run. (`trybuild` builds and links such a case twice, and one after the other.)

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Builds and runs the cases of `topics`, directories of `ui-tests/tests/pass`; all of them where
/// none is named. They get the dependencies of the package `name`, whose manifest is in `package`, and
/// its `edition`. What is made goes into `scratch`.
///
/// # Panics
///
/// With the names of those that fail; what the compiler and they say is on the standard error.
pub fn pass(name: &str, package: &str, edition: &str, scratch: &str, topics: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let cases = cases(&root.join("ui-tests/tests/pass"), topics);
    assert!(!cases.is_empty(), "there are no cases");
    let project = Path::new(scratch).join(name);
    fs::create_dir_all(&project).unwrap();
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    let manifest = manifest(root, Path::new(package), edition, &cases);
    fs::write(project.join("Cargo.toml"), manifest).unwrap();

    let target = Path::new(scratch).join("cases");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--bins", "--quiet", "--offline", "--keep-going"]);
    build.arg("--target-dir").arg(&target).current_dir(&project);
    // Nobody debugs them, and there are hundreds.
    build
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    assert!(build.status().unwrap().success(), "a case doesn't compile");

    let programs = target.join("debug");
    let passes = |name: &String| {
        let status = Command::new(programs.join(name)).status();
        status.unwrap().success()
    };
    let names = cases.iter().map(|(name, _)| name);
    let failed: Vec<_> = names.filter(|name| !passes(name)).collect();
    assert!(failed.is_empty(), "these fail: {failed:?}");
}

/// Files, each with the name of its program.
fn cases(directory: &Path, topics: &[&str]) -> Vec<(String, PathBuf)> {
    let entries = |path: &Path| {
        let entries = fs::read_dir(path).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut cases = Vec::new();
    for topic in entries(directory) {
        if topics.is_empty() || topics.contains(&&*stem(&topic)) {
            for case in entries(&topic) {
                cases.push((format!("{}-{}", stem(&topic), stem(&case)), case));
            }
        }
    }
    cases
}

/// A workspace of one package, with the dependencies of another one.
fn manifest(root: &Path, package: &Path, edition: &str, cases: &[(String, PathBuf)]) -> String {
    let read = |directory: &Path| fs::read_to_string(directory.join("Cargo.toml")).unwrap();
    let absolute = format!("path = \"{}/", root.display());
    let versions = section(&read(root), "[workspace.dependencies]").replace("path = \"", &absolute);
    let own = read(package);
    // A program gets no dependencies for tests, so all are ordinary ones.
    let all = ["[dependencies]", "[dev-dependencies]"].map(|heading| section(&own, heading));
    let mut text = format!(
        "[workspace]\nresolver = \"3\"\n[workspace.dependencies]\n{versions}\n\
         [package]\nname = \"cases\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\
         [dependencies]\n{}\nlockutils-ui-tests.workspace = true\n\
         [lints.rust]\ndead_code = \"allow\"\n",
        all.join("\n"),
    );
    for (name, path) in cases {
        writeln!(
            text,
            "[[bin]]\nname = \"{name}\"\npath = \"{}\"",
            path.display()
        )
        .unwrap();
    }
    text
}

/// A part of a manifest, without what no case has to name: the library that compares answers, and
/// this one, which all get.
fn section(manifest: &str, heading: &str) -> String {
    let lines = manifest.lines().skip_while(|line| *line != heading);
    let lines = lines.skip(1).take_while(|line| !line.starts_with('['));
    let left_out = ["trybuild.", "lockutils-ui-tests."];
    let lines: Vec<_> = lines
        .filter(|line| !left_out.iter().any(|name| line.starts_with(name)))
        .collect();
    lines.join("\n")
}
