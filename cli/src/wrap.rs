//! `lockutils wrap`: a command with a lock directory of its own.

use crate::args::WrapArgs;
use crate::{child, exit};
use anyhow::{Context as _, Result};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitCode;

pub(crate) fn run(args: &WrapArgs) -> Result<ExitCode> {
    let directory = tempfile::Builder::new()
        .prefix("lockutils-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .context("can't make a lock directory; name another place for it in `TMPDIR`")?;
    let path = directory.path().as_os_str().to_owned();
    let environment = [
        ("LOCKUTILS_DIR", path.clone()),
        ("OSLO_LOCK_PATH", path.clone()),
        // Set to nothing it isn't set: no server either.
        ("LOCKUTILS_ON", "".into()),
    ];
    let code = child::run(&args.command, &environment, &[])?;
    if let Err(error) = directory.close() {
        // The command's status is what one wants to know.
        exit::say(format_args!(
            "can't remove the lock directory {path:?}: {error}"
        ));
    }
    Ok(code)
}
