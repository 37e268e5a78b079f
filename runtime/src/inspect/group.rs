//! A group of the system, whose members may attach beside the user and root.

#![expect(unsafe_code, reason = "the standard library doesn't know groups")]

use std::ffi::CString;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::{fs, ptr};

/// How much memory the members of a group may take, in bytes, which come with its number.
const MOST: usize = 16 * 1024 * 1024;

/// `chown` takes it for the group that a file has already.
const NO_GROUP: libc::gid_t = libc::gid_t::MAX;

/// By its name, or by its number as a text: in a container it may have no name.
pub(super) fn find(group: &str) -> io::Result<u32> {
    let missing = || {
        let text =
            format!("there is no group {group:?}; make it (`groupadd`), or give the number of one");
        io::Error::new(ErrorKind::NotFound, text)
    };
    let name = CString::new(group).map_err(|_| missing())?;
    let found = of_name(&name)?;
    match found.or_else(|| group.parse().ok()).ok_or_else(missing)? {
        NO_GROUP => {
            let text = format!("{group:?} is no group: to the kernel that number means none");
            Err(io::Error::new(ErrorKind::InvalidInput, text))
        }
        group => Ok(group),
    }
}

/// What the system's list says.
fn of_name(name: &CString) -> io::Result<Option<u32>> {
    let mut room = 1024;
    loop {
        let (mut group, mut found) = (MaybeUninit::<libc::group>::uninit(), ptr::null_mut());
        let mut texts = vec![0; room];
        // SAFETY: the name ends with a zero, and there is room for what is written, of the texts
        // for as many bytes as is said.
        let error = unsafe {
            let texts = texts.as_mut_ptr();
            libc::getgrnam_r(
                name.as_ptr(),
                group.as_mut_ptr(),
                texts,
                room,
                &raw mut found,
            )
        };
        return match error {
            // SAFETY: it was found, so all of it is written.
            0 if !found.is_null() => Ok(Some(unsafe { group.assume_init() }.gr_gid)),
            // Systems say in many ways that it isn't there.
            0 | libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => Ok(None),
            libc::EINTR => continue,
            libc::ERANGE if room < MOST => {
                room *= 2;
                continue;
            }
            _ => Err(io::Error::from_raw_os_error(error)),
        };
    }
}

/// Gives a file to a group.
pub(super) fn give(path: &Path, group: u32) -> io::Result<()> {
    chown(path, None, Some(group)).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => {
            let text = format!(
                "this process isn't in the group {group}, so it can't give it a socket; \
                 add its user to that group, or start it with that"
            );
            io::Error::new(ErrorKind::PermissionDenied, text)
        }
        _ => error,
    })
}

/// Whether a directory's mode lets the members of a group go there.
pub(super) fn check_may_enter(directory: &Path, group: u32) -> io::Result<()> {
    let found = fs::metadata(directory)?;
    let needed = if found.gid() == group { 0o010 } else { 0o001 };
    if found.mode() & needed != 0 {
        return Ok(());
    }
    let text = format!(
        "it is there, and the group {group} can't enter it; `chgrp {group}` and `chmod g+x` let it"
    );
    Err(io::Error::new(ErrorKind::PermissionDenied, text))
}
