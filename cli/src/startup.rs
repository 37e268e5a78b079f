//! Which signals this process was started with as ignored ones.
//!
//! Whoever starts a program can have it ignore a signal, as `nohup` and systemd do. Rust has
//! every program ignore SIGPIPE, from before `main` is called, and then nobody can tell
//! whether it was so already. So this looks before Rust does.

use std::fs;
use std::sync::OnceLock;

/// A bit for each, the first signal's the lowest.
static IGNORED: OnceLock<u64> = OnceLock::new();

ctor::declarative::ctor! {
    /// It opens and reads a file, which needs nothing of what Rust sets up for `main`.
    #[ctor(unsafe)]
    fn look() {
        let _ = IGNORED.set(ignored_by("self"));
    }
}

/// Whether this process was to ignore a signal when it was started.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    has(*IGNORED.get().unwrap_or(&0), signal)
}

/// Whether a process ignores a signal now.
#[must_use]
pub fn ignores(pid: u32, signal: i32) -> bool {
    has(ignored_by(&pid.to_string()), signal)
}

/// None where that can't be seen.
fn ignored_by(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mut lines = status.lines();
    let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
        .unwrap_or(0)
}

fn has(set: u64, signal: i32) -> bool {
    set >> (signal - 1) & 1 == 1
}
