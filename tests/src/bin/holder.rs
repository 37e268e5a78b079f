//! A process that holds and awaits lock files, as it is told on standard input.
//!
//! `holder DIRECTORY PREFIX`, with `--oslo` before that for a space of Python's rules, or
//! `holder --default` for the process-wide one.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
fn main() {
    use lockutils::FileLocks;
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("a directory and a prefix");
    lockutils_tests::obey(&match &next()[..] {
        "--default" => lockutils::file_locks().clone(),
        "--oslo" => FileLocks::oslo(next(), next()),
        directory => FileLocks::new(directory).prefix(next()),
    });
}

#[cfg(not(target_os = "linux"))]
fn main() {}
