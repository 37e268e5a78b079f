//! Members of a group, who may attach where the service says so.

use crate::{Client, again, alone, itself};
use lockutils::inspect::Builder;
use lockutils_conformance::Process;
use lockutils_tests::{Directory, NOBODY, PlaceForGroup, as_member, as_nobody, skip, some_group};
use rustix::process::geteuid;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

/// Another group.
const STRANGERS: u32 = 65_000;

fn mode_and_group(path: &Path) -> (u32, u32) {
    let found = fs::symlink_metadata(path).unwrap();
    (found.mode() & 0o777, found.gid())
}

/// What somebody is told at a socket.
fn heard(socket: &Path) -> impl Fn(&mut Command) -> String {
    move |command| {
        command.env("SOCKET", socket);
        again(command, "abuse::stranger").hear_of("heard ")
    }
}

/// A service that is told what to serve, and what it says of that.
fn serve(command: &mut Command, what: &str) -> (Process, String) {
    command.env_remove("LOCKUTILS_INSPECT");
    let mut process = again(command, "service");
    let said = process.ask(what);
    (process, said)
}

fn program() -> String {
    itself().get_program().to_string_lossy().into_owned()
}

#[test]
fn members_of_the_group_are_let_in_and_others_are_not() {
    if !geteuid().is_root() {
        return skip("only root can run programs as somebody else");
    }
    let (_alone, directory, group) = (alone(), Directory::new(), some_group());
    fs::set_permissions(&*directory, Permissions::from_mode(0o755)).unwrap();
    let path = directory.join("made/socket");
    let builder = Builder::new().path(&path).group(group.to_string());
    let _server = builder.serve().unwrap();
    assert_eq!(mode_and_group(&path), (0o660, group));
    assert_eq!(mode_and_group(&directory.join("made")), (0o750, group));

    let (exe, ask) = (program(), heard(&path));
    let is_told =
        |text: String| text.starts_with(r#""{\"lockutils\":1,"#) && text.contains("locks");
    let by_user = |group: u32| as_member(NOBODY, group, &exe, &ask);
    assert!(is_told(by_user(group)), "{}", by_user(group));
    assert_eq!(by_user(STRANGERS), "\"\": Err(PermissionDenied)");
    // It is the first of the groups that a process has.
    let first = as_member(group, STRANGERS, &exe, &ask);
    assert!(is_told(first.clone()), "{first}");
    assert!(Client::attach(&path).hello["pid"].is_number());
    // Also if somebody has opened the door.
    for (path, mode) in [(directory.join("made"), 0o755), (path.clone(), 0o666)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let told = by_user(STRANGERS);
    assert!(told.starts_with("\"\": "), "{told}");
    assert!(is_told(by_user(group)));
    // A member of so many groups that they don't fit at once.
    let many = (1..200)
        .map(|number| number.to_string() + ",")
        .collect::<String>();
    let told = as_nobody(&exe, |command| {
        let mut many_groups = Command::new("setpriv");
        many_groups
            .args([
                format!("--groups={many}{group}"),
                "--reuid=65534".to_owned(),
            ])
            .arg("--regid=65534")
            .arg(command.get_program());
        ask(&mut many_groups)
    });
    assert!(is_told(told.clone()), "{told}");
}

#[test]
fn group_that_is_not_there_is_said_so() {
    let directory = Directory::new();
    let refused = |group: &str| {
        let builder = Builder::new().path(directory.join("socket")).group(group);
        let error = builder.serve().unwrap_err();
        assert!(!directory.join("socket").exists());
        (error.kind(), error.to_string())
    };
    for group in ["no such group", "", "a\0b", "-1"] {
        let text = format!(
            "can't serve a group: there is no group {group:?}; make it (`groupadd`), or give the number \
             of one"
        );
        assert_eq!(refused(group), (ErrorKind::NotFound, text));
    }
    let none = u32::MAX.to_string();
    let text =
        format!("can't serve a group: {none:?} is no group: to the kernel that number means none");
    assert_eq!(refused(&none), (ErrorKind::InvalidInput, text));
    fs::set_permissions(&*directory, Permissions::from_mode(0o711)).unwrap();
    let root = Builder::new().path(directory.join("by name")).group("root");
    if geteuid().is_root() {
        let server = root.serve().unwrap();
        assert_eq!(mode_and_group(server.path()), (0o660, 0));
    }
}

#[test]
fn usual_place_for_a_group_is_one_that_its_members_can_read() {
    if !geteuid().is_root() {
        return skip("only root can run programs as somebody else");
    }
    let (exe, group) = (program(), some_group());
    let serve = |command: &mut Command, group: u32| serve(command, &format!("group {group}"));
    let (service, path) = as_member(NOBODY, group, &exe, |command| serve(command, group));
    let place = PlaceForGroup::new(group);
    let shared = place.display();
    let folder = format!("{shared}/~inspect");
    let begin = format!("{folder}/{}-", service.id());
    assert!(path.starts_with(&begin), "{path}");
    for directory in [&*place, Path::new(&folder)] {
        assert_eq!(mode_and_group(directory), (0o750, group));
    }
    assert_eq!(mode_and_group(Path::new(&path)), (0o660, group));
    let told = as_member(NOBODY - 1, group, &exe, heard(Path::new(&path)));
    assert!(told.contains("lockutils"), "{told}");
    drop(service);
    fs::remove_dir_all(&*place).unwrap();

    // Who isn't in a group can't give it a file.
    let (_, text) = as_member(NOBODY, STRANGERS, &exe, |command| serve(command, group));
    let begin = format!("PermissionDenied: can't serve at \"{shared}");
    let end = "add its user to that group, or start it with that";
    assert!(text.starts_with(&begin) && text.ends_with(end), "{text}");
}

#[test]
fn directory_of_a_path_is_opened_or_an_error() {
    if !geteuid().is_root() {
        return skip("only root can run programs as somebody else");
    }
    let (_alone, exe, group) = (alone(), program(), some_group());
    let directory = Directory::new();
    fs::set_permissions(&*directory, Permissions::from_mode(0o1777)).unwrap();
    let made = directory.join("made");
    let what = format!("group {group} {}", made.join("socket").display());
    // Who isn't in the group can't open it, and leaves none that is closed.
    let (process, said) = as_member(NOBODY, STRANGERS, &exe, |command| serve(command, &what));
    assert!(said.starts_with("PermissionDenied: can't serve"), "{said}");
    assert!(!made.exists());
    drop(process);
    let (process, said) = as_member(NOBODY, group, &exe, |command| serve(command, &what));
    assert_eq!(Path::new(&said), made.join("socket"));
    assert_eq!(mode_and_group(&made), (0o750, group));
    drop(process);

    let closed = directory.join("closed");
    fs::create_dir(&closed).unwrap();
    let builder = Builder::new().path(closed.join("socket"));
    let builder = builder.group(group.to_string());
    for (mode, owner, is_open) in [
        (0o700, 0, false),
        (0o750, 0, false),
        (0o740, group, false),
        // Of whom it is the group, what others may doesn't count.
        (0o701, group, false),
        (0o710, group, true),
        (0o701, 0, true),
    ] {
        chown(&closed, None, Some(owner)).unwrap();
        fs::set_permissions(&closed, Permissions::from_mode(mode)).unwrap();
        let served = builder.serve();
        assert_eq!(served.is_ok(), is_open, "{mode:o} {owner}");
        if let Err(error) = served {
            let text = format!(
                "can't serve at {closed:?}: it is there, and the group {group} can't enter it; \
                 `chgrp {group}` and `chmod g+x` let it"
            );
            assert_eq!(error.to_string(), text);
        }
    }
}
