//! Services that let in a group, and who its members are.

use crate::service::{self, Service, program};
use crate::{Done, LOCKUTILS, done};
use lockutils_tests::{Directory, NOBODY, PlaceForGroup, as_member, as_nobody, skip, some_group};
use rustix::process::geteuid;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};

/// Who looks: in no group of the service's user.
const OPERATOR: u32 = NOBODY - 1;

/// Another group.
const STRANGERS: u32 = 65_000;

fn looking(directory: &Directory, group: u32, args: &[&str]) -> Done {
    as_member(OPERATOR, group, LOCKUTILS, |command| {
        let command = command.env("XDG_RUNTIME_DIR", &**directory);
        done(command.env("LOCKUTILS_DIR", &**directory).args(args))
    })
}

#[test]
fn members_of_a_group_find_the_service_that_lets_them_in() {
    if !geteuid().is_root() {
        return skip("only root can run programs as somebody else");
    }
    let (directory, group) = (Directory::new(), some_group());
    let place = PlaceForGroup::new(group);
    fs::set_permissions(&*directory, Permissions::from_mode(0o755)).unwrap();
    let mut service = as_member(NOBODY, group, &program(), |command| {
        Service::start_by(command.env("FOR_GROUP", group.to_string()))
    });
    service.have_it("hold key-of-all");
    let (id, all) = (service.id(), ["ps", "--all", "--json"]);
    let why = looking(&directory, group, &["why", &id]);
    assert_eq!(why.code, Some(0), "{}", why.err);
    assert!(why.out.contains(&id), "{}", why.out);
    let shown = looking(&directory, group, &all).out;
    assert!(shown.contains("key-of-all"), "{shown}");

    let shown = looking(&directory, STRANGERS, &all).out;
    assert_eq!(shown.trim(), "[]");
    let why = looking(&directory, STRANGERS, &["why", &id]);
    let socket = service.socket.to_string_lossy().into_owned();
    for named in [&id, &socket] {
        let why = looking(&directory, STRANGERS, &["why", named]);
        assert_eq!((why.code, &*why.out), (Some(69), ""), "{}", why.err);
    }
    assert!(
        why.err.contains("and a group if it serves one"),
        "{}",
        why.err
    );

    // Its own directory is all that it is believed for: others can make such sockets elsewhere.
    chown(&*place, None, Some(STRANGERS)).unwrap();
    fs::set_permissions(&*place, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(looking(&directory, group, &all).out.trim(), "[]");
    drop(service);
}

#[test]
fn nobody_else_speaks_for_a_process() {
    if !geteuid().is_root() {
        return skip("only root can run programs as somebody else");
    }
    let directory = Directory::new();
    chown(&*directory, Some(NOBODY), None).unwrap();
    let service = as_nobody(&program(), |command| {
        Service::start_by(command.env("XDG_RUNTIME_DIR", &*directory))
    });
    let why = |named: &str| done(&mut service::looking(&directory, ["why", named]));
    assert_eq!(why(&service.id()).code, Some(0));
    // It says that it is this process, which is root's.
    let own = std::process::id().to_string();
    let fake = service.socket.with_file_name(format!("{own}-1"));
    fs::rename(&service.socket, &fake).unwrap();
    for args in [&["why", &*own][..], &["why"]] {
        let refused = done(&mut service::looking(&directory, args.iter().copied()));
        assert_eq!((refused.code, &*refused.out), (Some(69), ""), "{args:?}");
        assert!(refused.err.contains(" its locks: "), "{}", refused.err);
    }
    // Who names the socket itself knows whose it is.
    assert_eq!(why(&fake.to_string_lossy()).code, Some(0));
}

#[test]
fn other_process_of_the_same_user_does_not_speak_for_one() {
    let directory = Directory::new();
    let service = Service::start(&directory);
    let why = |named: &[&str]| done(&mut service::looking(&directory, named.iter().copied()));
    assert_eq!(why(&["why", &service.id()]).code, Some(0));
    // Its socket is where this process's would be.
    let own = std::process::id().to_string();
    let fake = service.socket.with_file_name(format!("{own}-1"));
    fs::rename(&service.socket, &fake).unwrap();
    let expected = format!(
        "process {}, and not process {own}, listens at",
        service.id()
    );
    for args in [&["why", &*own][..], &["why"], &["profile", &*own]] {
        let refused = why(args);
        assert_eq!((refused.code, &*refused.out), (Some(69), ""), "{args:?}");
        assert!(refused.err.contains(&expected), "{}", refused.err);
    }
    assert_eq!(why(&["why", &fake.to_string_lossy()]).code, Some(0));
}
