//! Where the socket may be, and what becomes of it.

use crate::{Client, Served, again, itself};
use lockutils::FileLocks;
use lockutils::inspect::{Builder, Keys};
use lockutils_tests::{Directory, NOBODY, skip};
use rustix::process::geteuid;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

#[test]
fn server_that_is_dropped_leaves_nothing() {
    let served = Served::new(Keys::Plain);
    let path = served.server.path().to_owned();
    let mut client = served.attach();
    let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(served.server);
    assert!(!path.exists());
    assert_eq!(client.hear(), None);
    let threads = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    assert!(!names.collect::<String>().contains("lockutils-inspe"));
}

fn refused(path: impl Into<PathBuf>) -> (ErrorKind, String) {
    let error = Builder::new().path(path).serve().unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn directory_that_others_can_get_at_is_refused() {
    let directory = Directory::new();
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let made = |name: &str, mode| {
        let path = directory.join(name);
        fs::create_dir(&path).unwrap();
        set(&path, mode);
        path
    };
    let (open, own) = (made("open", 0o777), made("own", 0o700));
    symlink(&own, directory.join("link")).unwrap();
    fs::write(own.join("file"), "").unwrap();
    symlink(own.join("nothing"), own.join("link")).unwrap();
    for (path, reason) in [
        (open.join("s"), "others than its owner may write to it"),
        (
            open.join("below/s"),
            "somebody else could put another directory in its place",
        ),
        (directory.join("link/s"), "it is a symbolic link"),
        (
            own.join("file"),
            "there is something else, which is no socket",
        ),
        (own.join("link"), "it is a symbolic link"),
    ] {
        let (kind, text) = refused(&path);
        assert_eq!(kind, ErrorKind::PermissionDenied, "{text}");
        assert!(
            text.starts_with("can't serve at \"/") && text.ends_with(reason),
            "{text}"
        );
    }
    assert_eq!(refused("socket").0, ErrorKind::InvalidInput);
    assert_eq!(refused(own.join("missing/below/s")).0, ErrorKind::NotFound);
    assert_eq!(
        refused(own.join("s".repeat(200))).0,
        ErrorKind::InvalidInput
    );
    assert!(own.join("file").exists());
    // What is missing is made.
    let server = Builder::new().path(own.join("new/s")).serve().unwrap();
    assert!(server.path().exists());
}

#[test]
fn directory_and_socket_of_a_stranger_are_refused() {
    if !geteuid().is_root() {
        return skip("only root can give a directory away");
    }
    let directory = Directory::new();
    let theirs = directory.join("theirs");
    fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(NOBODY), None).unwrap();
    let (kind, text) = refused(theirs.join("s"));
    assert_eq!(kind, ErrorKind::PermissionDenied, "{text}");
    assert!(text.ends_with("it belongs to somebody else"), "{text}");
    drop(UnixListener::bind(directory.join("s")).unwrap());
    chown(directory.join("s"), Some(NOBODY), None).unwrap();
    let (kind, text) = refused(directory.join("s"));
    assert_eq!(kind, ErrorKind::PermissionDenied, "{text}");
    assert!(directory.join("s").exists());
}

#[test]
fn socket_of_a_process_that_is_gone_is_replaced_and_no_other() {
    let served = Served::new(Keys::Plain);
    let path = served.server.path();
    let (kind, text) = refused(path);
    assert_eq!(kind, ErrorKind::AddrInUse, "{text}");
    assert!(served.attach().hello["pid"].is_number());
    let stale = served.directory.join("stale");
    drop(UnixListener::bind(&stale).unwrap());
    let other = Builder::new().path(&stale).serve().unwrap();
    assert!(Client::attach(&stale).hello["pid"].is_number());
    // One that was put there since is not removed.
    fs::remove_file(&stale).unwrap();
    let _listener = UnixListener::bind(&stale).unwrap();
    drop(other);
    assert!(stale.exists());
}

#[test]
fn environment_says_whether_and_where() {
    let directory = Directory::new();
    let path = directory.join("by-path").to_string_lossy().into_owned();
    for (value, from_env, serve) in [
        (None, "nothing", "/"),
        (Some(""), "nothing", "/"),
        (Some("1"), "/", ""),
        (
            Some("0"),
            "nothing",
            "PermissionDenied: `LOCKUTILS_INSPECT=0` forbids to serve",
        ),
        (Some(&*path), &*path, "/"),
        (
            Some("yes"),
            "InvalidInput: `LOCKUTILS_INSPECT` is to be 0, 1 or an absolute path",
            "/",
        ),
    ] {
        let mut command = itself();
        command
            .env("XDG_RUNTIME_DIR", &*directory)
            .env_remove("LOCKUTILS_INSPECT");
        if let Some(value) = value {
            command.env("LOCKUTILS_INSPECT", value);
        }
        let mut process = again(&mut command, "service");
        let found = process.ask("from_env");
        assert!(found.starts_with(from_env), "{value:?}: {found}");
        if from_env == "/" {
            let own = directory.join(format!("lockutils/~inspect/{}-", process.id()));
            assert!(found.starts_with(&*own.to_string_lossy()), "{found}");
            let hello = Client::attach(Path::new(&found)).hello;
            assert_eq!(hello["pid"], process.id());
            // It is one of the process, and there is another way to have several.
            assert!(process.ask("serve").starts_with("AddrInUse: "), "{found}");
            continue;
        }
        let found = process.ask("serve");
        assert!(found.starts_with(serve), "{value:?}: {found}");
    }
}

/// One that is killed leaves its socket, which the next one removes.
#[test]
fn what_a_killed_process_leaves_is_removed_by_the_next() {
    let directory = Directory::new();
    let start = || {
        let mut command = itself();
        command
            .env("XDG_RUNTIME_DIR", &*directory)
            .env_remove("LOCKUTILS_INSPECT");
        again(&mut command, "service")
    };
    let (mut killed, mut runs, mut next) = (start(), start(), start());
    let [left, stays] = [&mut killed, &mut runs].map(|process| process.ask("serve"));
    drop(killed);
    assert!(Path::new(&left).exists());
    // No lock file is called so.
    let locks = FileLocks::new(directory.join("lockutils"));
    assert_eq!(locks.existing().unwrap(), []);
    locks.sweep().unwrap();
    let own = next.ask("serve");
    assert!(!Path::new(&left).exists() && Path::new(&stays).exists());
    assert_eq!(next.ask("end"), "ended");
    assert!(!Path::new(&own).exists());
}
