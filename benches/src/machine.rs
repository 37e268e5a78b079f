//! The facts a figure needs beside it: date, machine, compiler, versions.

use std::fmt::Write as _;
use std::time::SystemTime;
use std::{env, fs, thread};

/// The versions that were built, not the ones that were asked for.
const LOCKFILE: &str = include_str!("../../Cargo.lock");

const CRATES: [&str; 6] = [
    "lockutils",
    "parking_lot",
    "tokio",
    "keyed-lock",
    "lockable",
    "dashmap",
];

/// How many threads wanted to run, in the last 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<_> = text.split(' ').take(3).collect();
    averages.join(", ")
}

/// A Markdown list. The load at the start is of what else ran on the machine; at the
/// end it is also of the benches.
pub(crate) fn facts(load_at_start: &str) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let cpu = fs::read_to_string("/proc/cpuinfo").ok();
    let cpu = cpu
        .as_deref()
        .and_then(model_name)
        .unwrap_or("unknown processor");
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let mut facts = format!(
        "- Date: {}\n- Machine: {cpu}, {cores} cores, {} {}\n- Load (1, 5, 15 minutes): \
         {load_at_start} at the start, {} at the end\n- Compiler: {}\n- Versions:",
        &now[..10],
        env::consts::OS,
        env::consts::ARCH,
        load(),
        env!("RUSTC_VERSION"),
    );
    for (index, name) in CRATES.into_iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let version = version(LOCKFILE, name).unwrap_or("unknown");
        write!(facts, "{comma} {name} {version}").expect("a string takes all");
    }
    facts.push('\n');
    facts
}

/// The processor, from the text of `/proc/cpuinfo`.
fn model_name(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

/// The version of one of this package's dependencies, from a `Cargo.lock`.
fn version<'a>(lockfile: &'a str, name: &str) -> Option<&'a str> {
    let package = |name: &str| {
        let first_line = format!("\nname = \"{name}\"\n");
        lockfile
            .split("[[package]]")
            .find(|package| package.starts_with(&first_line))
    };
    // A dependency is `"name"`, and `"name version"` where there are several.
    let (_, dependencies) = package(env!("CARGO_PKG_NAME"))?.split_once("dependencies = [")?;
    let mut dependency = dependencies
        .split('"')
        .find(|text| text.split(' ').next() == Some(name))?
        .split(' ');
    dependency.nth(1).or_else(|| {
        let (_, version) = package(name)?.split_once("\nversion = \"")?;
        Some(version.split_once('"')?.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_the_one_this_package_uses() {
        let lockfile = r#"version = 4

[[package]]
name = "lockutils-benches"
version = "0.1.0"
dependencies = [
 "dashmap",
 "parking_lot 0.13.0",
]

[[package]]
name = "parking_lot"
version = "0.12.5"

[[package]]
name = "parking_lot"
version = "0.13.0"

[[package]]
name = "dashmap"
version = "6.1.0"
"#;
        assert_eq!(version(lockfile, "parking_lot"), Some("0.13.0"));
        assert_eq!(version(lockfile, "dashmap"), Some("6.1.0"));
        assert_eq!(version(lockfile, "tokio"), None);
    }

    #[test]
    fn lockfile_has_the_version_of_every_contender() {
        for name in CRATES {
            assert!(version(LOCKFILE, name).is_some(), "{name}");
        }
    }

    #[test]
    fn processor_is_named_as_the_kernel_does() {
        let cpuinfo = "processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: other\n";
        assert_eq!(model_name(cpuinfo), Some("AMD EPYC"));
        assert_eq!(model_name("processor\t: 0\n"), None);
    }
}
