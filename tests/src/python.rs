//! Python's programs on the same lock files.

use crate::process::Process;
use lockutils_conformance::skip;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Names a Python that has oslo.concurrency and fasteners.
const VARIABLE: &str = "LOCKUTILS_PYTHON";

/// Where `.ci/run` has them.
const ENVIRONMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/python");

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/holder.py");

impl Process {
    /// Starts the program `holder.py`, which locks as Python's programs do; `None`, and a
    /// line that says so, where there is no Python with what that needs.
    ///
    /// # Panics
    ///
    /// If the environment variable `LOCKUTILS_PYTHON` names one that doesn't have it.
    #[must_use]
    pub fn python(directory: &Path, prefix: &str) -> Option<Self> {
        static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
        let Some(python) = PYTHON.get_or_init(find) else {
            skip("no Python with oslo.concurrency and fasteners here; `.ci/run` makes one");
            return None;
        };
        let mut command = Command::new(python);
        command.arg(PROGRAM).arg(directory).arg(prefix);
        Some(Self::start(&mut command))
    }
}

fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE) {
        let named = PathBuf::from(named);
        assert!(
            has_packages(&named),
            "`{VARIABLE}` names a Python without oslo.concurrency and fasteners: `{}`",
            named.display()
        );
        return Some(named);
    }
    let mut known = [ENVIRONMENT, "python3"].into_iter().map(PathBuf::from);
    known.find(|python| has_packages(python))
}

fn has_packages(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", "import fasteners, oslo_concurrency.lockutils"]);
    let status = command.stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
