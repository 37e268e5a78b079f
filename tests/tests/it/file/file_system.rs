//! Lock files on other file systems than that of temporary files.

use super::HOLDER;
use super::fairness::assert_that_it_gives_way;
use lockutils::FileLocks;
#[cfg(not(lockutils_portable))]
use lockutils_tests::eventually;
use lockutils_tests::{Directory, Process, skip};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Times of whole seconds: inodes of 128 bytes have no room for more.
const EXT4: &str = r#"truncate -s 16M "$2/image" && mkfs.ext4 -q -F -I 128 "$2/image" &&
    mount -o loop "$2/image" "$1""#;

/// Times of two seconds.
const VFAT: &str = r#"truncate -s 16M "$2/image" && mkfs.vfat "$2/image" &&
    mount -o loop "$2/image" "$1""#;

/// A device for each subvolume, which is none.
#[cfg(not(lockutils_portable))]
const BTRFS: &str = r#"truncate -s 128M "$2/image" && mkfs.btrfs -q "$2/image" &&
    mount -o loop "$2/image" "$2/" && btrfs subvolume create "$2/locks" &&
    mount --bind "$2/locks" "$1""#;

/// Layers on two file systems, of which each has a device.
#[cfg(not(lockutils_portable))]
const OVERLAY: &str = r#"mount -t tmpfs none "$2" && mkdir "$2/upper" "$2/work" &&
    mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" none "$1""#;

/// A file system that only some processes see, in a directory's place.
pub(super) struct FileSystem {
    pub(super) directory: Directory,
    /// It ends with this process.
    first: Process,
    /// For what it needs.
    _room: Directory,
}

impl FileSystem {
    /// Has a script mount it in the directory `$1`; `$2` is one for what that needs. `None`
    /// where it can't be mounted.
    pub(super) fn mount(script: &str) -> Option<Self> {
        let (directory, room) = (Directory::new(), Directory::new());
        let script = format!("{{ {script}; }} >\"$2/log\" && echo mounted && exec cat");
        let mut command = Command::new("unshare");
        command.arg("--mount").args(user());
        command.args(["sh", "-c", &script, "sh"]);
        command.args([&*directory, &*room]).stderr(Stdio::null());
        let first = Process::start(&mut command);
        if first.hear().is_none() {
            skip(&format!("no file system can be mounted here by `{script}`"));
            return None;
        }
        Some(Self {
            directory,
            first,
            _room: room,
        })
    }

    /// The directory as the processes that don't see it can come to it.
    fn seen_from_outside(&self) -> PathBuf {
        let root = format!("/proc/{}/root", self.first.id());
        PathBuf::from(root + &self.directory.to_string_lossy())
    }

    /// A process that is told what to lock there.
    pub(super) fn holder(&self) -> Process {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.first.id()));
        command.arg("--mount");
        if user().is_some() {
            command.args(["--user", "--preserve-credentials"]);
        }
        Process::start(command.arg(HOLDER).arg(&*self.directory).arg(""))
    }
}

/// Who isn't root can mount some file systems in a namespace where they are.
fn user() -> Option<&'static str> {
    (!rustix::process::geteuid().is_root()).then_some("--map-root-user")
}

/// Two processes lock in turn, and a third one looks who it is.
fn assert_that_holders_are_named(mount: &str) {
    let Some(file_system) = FileSystem::mount(mount) else {
        return;
    };
    let mut processes = [(); 2].map(|()| file_system.holder());
    let mut third = file_system.holder();
    for turn in 0..400 {
        // One of them twice now and then, as who doesn't wait does.
        let process = &mut processes[usize::from(turn % 3 == 0)];
        let command = if turn % 5 == 0 { "try key" } else { "lock key" };
        process.ask_for(command, "held");
        let holder = third.ask_for("holder key", "holder");
        assert_eq!(holder, process.id().to_string(), "{turn}");
        process.ask_for("release", "released");
        assert_eq!(third.ask_for("holder key", "holder"), "nobody");
    }
}

#[test]
fn holders_are_named_where_times_are_whole_seconds() {
    assert_that_holders_are_named(EXT4);
}

#[test]
fn holders_are_named_where_times_are_two_seconds() {
    assert_that_holders_are_named(VFAT);
}

#[test]
fn waiters_get_their_turn_where_times_are_whole_seconds() {
    if let Some(file_system) = FileSystem::mount(EXT4) {
        let locks = FileLocks::new(file_system.seen_from_outside());
        assert_that_it_gives_way(&locks, file_system.holder());
    }
}

/// Two files, of which one is in nobody's way. Only Linux tells who waits in the kernel.
#[cfg(not(lockutils_portable))]
fn assert_that_waiters_are_counted(mount: &str) {
    let Some(file_system) = FileSystem::mount(mount) else {
        return;
    };
    let mut processes: Vec<_> = (0..4).map(|_| file_system.holder()).collect();
    processes[0].ask_for("lock key", "held");
    processes[0].ask_for("lock other", "held");
    processes[1].tell("lock key");
    processes[2].tell("shared key");
    let last = &mut processes[3];
    let mut waiters = |key| last.ask_for(&format!("waiters {key}"), "waiters");
    eventually("two wait", || waiters("key") == "2");
    assert_eq!(waiters("other"), "0");
}

#[cfg(not(lockutils_portable))]
#[test]
fn waiters_are_counted_on_btrfs() {
    assert_that_waiters_are_counted(BTRFS);
}

#[cfg(not(lockutils_portable))]
#[test]
fn waiters_are_counted_on_overlayfs() {
    assert_that_waiters_are_counted(OVERLAY);
}
