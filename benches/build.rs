//! Tells the program which compiler built it.

use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").expect("cargo sets `RUSTC`");
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc can tell its version");
    let version = String::from_utf8(version.stdout).expect("the version is text");
    println!("cargo::rustc-env=RUSTC_VERSION={}", version.trim());
    println!("cargo::rerun-if-changed=build.rs");
}
