//! Where the process-wide space of lock files is.

use super::HOLDER;
use lockutils::FileLocks;
use lockutils_tests::{Directory, Process, skip};
use std::error::Error as _;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// A process with these variables, and none of the others.
fn process(variables: &[(&str, &Path)]) -> Process {
    Process::start(&mut command(variables))
}

fn command(variables: &[(&str, &Path)]) -> Command {
    let mut command = Command::new(HOLDER);
    command.arg("--default");
    for name in ["LOCKUTILS_DIR", "OSLO_LOCK_PATH", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command
}

/// Where such a process has its lock files, and whether it can lock one.
fn found(variables: &[(&str, &Path)]) -> String {
    process(variables).ask_for("where", "where")
}

fn is_held(answer: &str, directory: &Path) {
    let directory = directory.display();
    // A space without a prefix ends in the separator.
    assert_eq!(answer, format!("{directory}/ held"));
}

fn is_refused(answer: &str, directory: &Path, reason: &str) {
    let directory = directory.display().to_string();
    assert!(answer.starts_with(&directory), "{answer}");
    assert!(answer.contains(" error "), "{answer}");
    assert!(answer.contains(reason), "{answer}");
    assert!(answer.contains("`LOCKUTILS_DIR`"), "{answer}");
}

#[test]
fn variables_are_looked_at_in_order() {
    let directory = Directory::new();
    let [own, oslo, runtime] = ["own", "oslo", "runtime"].map(|name| directory.join(name));
    DirBuilder::new().mode(0o700).create(&runtime).unwrap();
    let variables = [
        ("LOCKUTILS_DIR", &*own),
        ("OSLO_LOCK_PATH", &*oslo),
        ("XDG_RUNTIME_DIR", &*runtime),
    ];
    is_held(&found(&variables), &own);
    is_held(&found(&variables[1..]), &oslo);
    // Python's rule: nothing is written down.
    assert_eq!(fs::read(oslo.join("where")).unwrap(), b"");
    is_held(&found(&variables[2..]), &runtime.join("lockutils"));
    let empty = ("LOCKUTILS_DIR", Path::new(""));
    is_held(&found(&[empty, variables[1]]), &oslo);
}

/// Two processes in two directories would have two locks.
#[test]
fn relative_path_in_a_variable_is_refused() {
    let directory = Directory::new();
    for variable in ["LOCKUTILS_DIR", "OSLO_LOCK_PATH"] {
        for path in ["locks", "./locks", "..", ".", "~/locks", "$HOME/locks"] {
            let variables = [(variable, Path::new(path))];
            let mut process = Process::start(command(&variables).current_dir(&*directory));
            let answer = process.ask_for("where", "where");
            assert!(answer.contains(" error "), "{answer}");
            assert!(answer.contains(&format!("set `{variable}`")), "{answer}");
            let reason = format!("the path in it, {path:?}, is relative");
            assert!(answer.contains(&reason), "{answer}");
            for command in ["try key", "async key", "remove key", "sweep"] {
                let answer = process.ask_for(command, "error Io");
                assert!(answer.contains("absolute path"), "{command}: {answer}");
            }
        }
    }
    assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
}

#[test]
fn path_in_a_variable_need_not_be_text() {
    let directory = Directory::new();
    let path = directory.join(OsStr::from_bytes(b"l\xFFcks"));
    for variable in ["LOCKUTILS_DIR", "OSLO_LOCK_PATH"] {
        is_held(&found(&[(variable, &path)]), &path);
        assert!(path.join("where").exists());
        fs::remove_dir_all(&path).unwrap();
    }
}

/// It would be another one whenever the process goes elsewhere.
#[test]
fn path_that_begins_nowhere_is_refused() {
    let error = FileLocks::new("").key("key").lock().unwrap_err();
    assert!(error.to_string().contains("its absolute path"), "{error}");
    let error = FileLocks::new("").states().unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "its path is empty");
    let directory = Directory::new();
    let script = "cd \"$1\"; rmdir \"$1\"; exec \"$0\" locks ''";
    let gone = directory.join("gone");
    fs::create_dir(&gone).unwrap();
    let mut shell = Command::new("sh");
    let mut process = Process::start(shell.args(["-c", script, HOLDER]).arg(&gone));
    let answer = process.ask_for("lock key", "error Io");
    assert!(answer.contains("no current directory"), "{answer}");
}

/// Its sessions, cron's jobs and services exclude each other.
#[test]
fn root_has_one_directory_in_every_session() {
    let script = "mount -t tmpfs none /run && mkdir -p -m 700 /run/user/0 && echo mounted && \
                  exec \"$0\" --default";
    for session in ["", "/run/user/0", "/run/user/1000"] {
        let mut root = Command::new("unshare");
        root.args(["--mount", "--map-root-user", "sh", "-c", script, HOLDER])
            .env_remove("LOCKUTILS_DIR")
            .env_remove("OSLO_LOCK_PATH")
            .env("XDG_RUNTIME_DIR", session);
        let mut process = Process::start(root.stderr(Stdio::null()));
        if process.hear().is_none() {
            return skip("no file system can be mounted here");
        }
        let answer = process.ask_for("where", "where");
        is_held(&answer, Path::new("/run/lockutils"));
    }
}

/// Those who clean up temporary files may remove it, and anybody make another one.
#[test]
fn own_directory_is_looked_at_again() {
    let directory = Directory::new();
    let own = directory.join("lockutils");
    let mut process = process(&[("XDG_RUNTIME_DIR", &directory)]);
    for key in ["a", "b"] {
        process.ask_for(&format!("lock {key}"), "held");
        process.ask_for("release", "released");
        assert_eq!(fs::metadata(&own).unwrap().mode() & 0o777, 0o700);
        fs::remove_dir_all(&own).unwrap();
    }
    DirBuilder::new().create(&own).unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o777)).unwrap();
    let error = process.ask_for("lock c", "error");
    assert!(error.contains("others than its owner may write"), "{error}");
}

#[test]
fn own_directory_is_made_for_its_owner_alone() {
    let directory = Directory::new();
    let own = directory.join("lockutils");
    is_held(&found(&[("XDG_RUNTIME_DIR", &directory)]), &own);
    assert_eq!(own.metadata().unwrap().mode() & 0o777, 0o700);
    // And used again.
    is_held(&found(&[("XDG_RUNTIME_DIR", &directory)]), &own);
}

/// The mode of a file in the user's own directory.
fn mode(directory: &Path, name: &str) -> u32 {
    let found = fs::metadata(directory.join("lockutils").join(name));
    found.unwrap().mode() & 0o7777
}

/// The XDG Base Directory Specification has the bit say so.
#[test]
fn files_in_the_own_directory_are_not_for_those_who_remove_old_ones() {
    let directory = Directory::new();
    let mut process = process(&[("XDG_RUNTIME_DIR", &directory)]);
    process.ask_for("lock key", "held");
    assert_eq!(mode(&directory, "key"), 0o1600);
    process.ask_for("release", "released");
    // One that was made before it was so is made so.
    let file = directory.join("lockutils/old");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    process.ask_for("lock old", "held");
    assert_eq!(mode(&directory, "old"), 0o1600);
    // Other directories are whose they are.
    let other = directory.join("other");
    process.ask_for(&format!("in {} lock key", other.display()), "held");
    assert_eq!(other.join("key").metadata().unwrap().mode() & 0o1000, 0);
}

/// Removes the files that nobody has written to for ten days, as systemd-tmpfiles does, and
/// tells how many.
fn clean_up(directory: &Path) -> usize {
    let mut removed = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let found = entry.metadata().unwrap();
        let age = found.modified().unwrap().elapsed().unwrap_or_default();
        if age > Duration::from_secs(10 * 24 * 3600) && found.mode() & 0o1000 == 0 {
            fs::remove_file(entry.path()).unwrap();
            removed += 1;
        }
    }
    removed
}

#[test]
fn file_that_is_held_for_days_excludes_others_after_a_clean_up() {
    let directory = Directory::new();
    let variables = [("XDG_RUNTIME_DIR", &*directory)];
    let (mut first, mut second) = (process(&variables), process(&variables));
    first.ask_for("lock key", "held");
    let own = directory.join("lockutils");
    fs::write(own.join("not-a-lock"), "").unwrap();
    let old = SystemTime::now() - Duration::from_secs(30 * 24 * 3600);
    for name in ["key", "not-a-lock"] {
        let file = fs::File::open(own.join(name)).unwrap();
        file.set_modified(old).unwrap();
    }
    assert_eq!(clean_up(&own), 1);
    second.ask_for("try key", "error Busy");
}

#[test]
fn own_directory_that_others_can_write_to_is_refused() {
    for mode in [0o777, 0o770, 0o702] {
        let directory = Directory::new();
        let own = directory.join("lockutils");
        fs::create_dir(&own).unwrap();
        fs::set_permissions(&own, Permissions::from_mode(mode)).unwrap();
        is_refused(&found(&[("XDG_RUNTIME_DIR", &directory)]), &own, "others");
        assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
    }
}

#[test]
fn own_directory_that_others_could_replace_is_refused() {
    let directory = Directory::new();
    let own = directory.join("lockutils");
    fs::set_permissions(&*directory, Permissions::from_mode(0o777)).unwrap();
    is_refused(
        &found(&[("XDG_RUNTIME_DIR", &directory)]),
        &own,
        "put another",
    );
    assert!(!own.exists());
    // In a sticky one, as `/tmp` is, nobody can.
    fs::set_permissions(&*directory, Permissions::from_mode(0o1777)).unwrap();
    is_held(&found(&[("XDG_RUNTIME_DIR", &directory)]), &own);
}

#[test]
fn symbolic_link_in_the_place_of_the_own_directory_is_refused() {
    let directory = Directory::new();
    let elsewhere = directory.join("elsewhere");
    DirBuilder::new().mode(0o700).create(&elsewhere).unwrap();
    let own = directory.join("lockutils");
    symlink(&elsewhere, &own).unwrap();
    is_refused(
        &found(&[("XDG_RUNTIME_DIR", &directory)]),
        &own,
        "symbolic link",
    );
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn file_in_the_place_of_the_own_directory_is_refused() {
    let directory = Directory::new();
    fs::write(directory.join("lockutils"), "").unwrap();
    let answer = found(&[("XDG_RUNTIME_DIR", &directory)]);
    is_refused(&answer, &directory.join("lockutils"), "no directory");
}

#[test]
fn own_directory_of_somebody_else_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can make a directory of somebody else's");
        return;
    }
    let directory = Directory::new();
    let own = directory.join("lockutils");
    DirBuilder::new().mode(0o700).create(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65534), None).unwrap();
    let answer = found(&[("XDG_RUNTIME_DIR", &directory)]);
    is_refused(&answer, &own, "belongs to somebody else");
}

/// In a process of its own, since a process sets its space once.
#[test]
fn space_is_set_once_and_before_it_is_used() {
    let directory = Directory::new();
    let [first, second] = ["first", "second"].map(|name| FileLocks::new(directory.join(name)));
    lockutils::set_file_locks(first.clone()).expect("no other test uses it");
    assert_eq!(lockutils::file_locks().name(), first.name());
    let given_back = lockutils::set_file_locks(second.clone()).unwrap_err();
    assert_eq!(given_back.name(), second.name());
    assert_eq!(lockutils::file_locks().name(), first.name());
}
