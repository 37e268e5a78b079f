//! `lockutils why`, and `lockutils ps --all`.

use crate::service::{Service, looking, program};
use crate::{can_unshare, done};
use lockutils_tests::{Directory, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::process::Command;

fn signal(service: &Service, signal: Signal) {
    let pid = i32::try_from(service.process.id()).ok();
    kill_process(pid.and_then(Pid::from_raw).unwrap(), signal).unwrap();
}

/// By no name, by its id, by its socket, and by its own name.
#[test]
fn stuck_service_is_explained_by_one_command() {
    let directory = Directory::new();
    let mut service = Service::start(&directory);
    for command in [
        "hold 2f1c",
        "wait 2f1c req-7 holding 9a",
        "wait 9a fetch",
        "wait 9a fetch",
    ] {
        service.have_it(command);
    }
    service.have_it("deadlock x y");
    let name = std::env::current_exe().unwrap();
    let name = name.file_name().unwrap().to_str().unwrap();
    let (pid, socket) = (service.id(), service.socket.to_str().unwrap().to_owned());
    for args in [
        &["why"][..],
        &["why", &pid],
        &["why", &socket],
        &["why", name],
    ] {
        let done = done(&mut looking(&directory, args.iter().copied()));
        assert_eq!((done.code, &*done.err), (Some(0), ""), "{args:?}");
        let lines: Vec<_> = done.out.lines().collect();
        let first = format!("{name} ({pid}): 5 wait, the first for ");
        assert!(lines[0].starts_with(&first), "{}", done.out);
        assert!(lines[0].ends_with(" s. Two causes."), "{}", done.out);
        assert!(
            lines[2].starts_with("1  cells/2f1c, held by "),
            "{}",
            done.out
        );
        assert!(
            lines[2].contains(" in thread \"worker of 2f1c\" ("),
            "{}",
            done.out
        );
        let holds =
            |line: &&str| line.contains(" in task \"req-7\", ") && line.ends_with("holds cells/9a");
        assert!(lines.iter().any(holds), "{}", done.out);
        assert!(
            done.out
                .contains("A deadlock, in which each waits for the next:"),
            "{}",
            done.out
        );
    }
}

#[test]
fn json_says_the_same() {
    let directory = Directory::new();
    let mut service = Service::start(&directory);
    service.have_it("hold 2f1c");
    service.have_it("wait 2f1c fetch");
    let done = done(&mut looking(&directory, ["why", "--json"]));
    assert_eq!(done.code, Some(0));
    let why: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(why["pid"], service.process.id());
    let cause = &why["causes"][0];
    assert_eq!(
        (&cause["space"], &cause["key"]),
        (&"cells".into(), &"2f1c".into())
    );
    assert_eq!(cause["culprit"]["thread"], "worker of 2f1c");
    assert_eq!(cause["behind"][0]["task"], "fetch");
}

/// All of its processors are busy, and there is nobody who could answer but the thread that serves.
#[test]
fn service_that_is_busy_answers() {
    let directory = Directory::new();
    let mut service = Service::start(&directory);
    let processors = std::thread::available_parallelism().unwrap().get();
    for _ in 0..=processors {
        service.have_it("spin");
    }
    let done = done(&mut looking(&directory, ["why"]));
    assert!(
        done.out
            .ends_with(&format!(" ({}): nobody waits.\n", service.id())),
        "{}",
        done.out
    );
}

#[test]
fn without_a_service_it_says_what_to_do() {
    let directory = Directory::new();
    let own = std::process::id().to_string();
    for (args, part) in [
        (&["why"][..], "no process serves its locks: "),
        (&["top"], "no process serves its locks: "),
        (&["why", &own], " doesn't serve its locks: "),
        (
            &["why", "nova-compute"],
            "no process called \"nova-compute\" serves its locks: ",
        ),
        (&["why", "4194305"], "there is no process 4194305"),
        (
            &["why", "/nothing/here"],
            "nobody serves at \"/nothing/here\": there is no socket",
        ),
    ] {
        let done = done(&mut looking(&directory, args.iter().copied()));
        assert_eq!((done.code, &*done.out), (Some(69), ""), "{args:?}");
        assert!(done.err.contains(part), "{}", done.err);
        let has_remedy = done.err.contains("`lockutils::inspect::serve()`");
        assert_eq!(has_remedy, part.ends_with("locks: "), "{}", done.err);
    }
}

#[test]
fn several_services_are_listed() {
    let directory = Directory::new();
    let services = [(); 2].map(|()| Service::start(&directory));
    let several = done(&mut looking(&directory, ["why"]));
    assert_eq!((several.code, &*several.out), (Some(64), ""));
    assert!(
        several.err.contains("name one by its id:"),
        "{}",
        several.err
    );
    for service in &services {
        assert!(
            several.err.contains(&format!("\n  {}  it-", service.id())),
            "{}",
            several.err
        );
        let own = done(&mut looking(&directory, ["why", &service.id()]));
        assert!(own.out.contains("nobody waits."), "{}", own.out);
    }
}

#[test]
fn what_a_killed_service_leaves_is_passed_over_and_removed() {
    let directory = Directory::new();
    let [killed, runs] = [(); 2].map(|()| Service::start(&directory));
    signal(&killed, Signal::KILL);
    eventually("it is gone", || {
        let done = done(&mut looking(&directory, ["why"]));
        assert!(killed.socket.parent().unwrap().is_dir());
        done.out.contains(&format!("({})", runs.id())) && !killed.socket.exists()
    });
}

/// It has named its socket by the id that it has there, and says it itself.
#[test]
fn service_in_another_pid_namespace_is_found_by_its_id_here() {
    let unshared = ["--pid", "--fork", "--mount-proc"];
    if !can_unshare(&[&unshared[..], &["true"]].concat()) {
        return lockutils_tests::skip("no PID namespace can be made here");
    }
    let directory = Directory::new();
    let mut command = Command::new("unshare");
    command.args(unshared).arg(program());
    let mut service = Service::start_by(command.env("XDG_RUNTIME_DIR", &*directory));
    service.have_it("hold 2f1c");
    service.have_it("wait 2f1c fetch");
    let name = service.socket.file_name().and_then(|name| name.to_str());
    assert!(name.unwrap().starts_with("1-"), "{name:?}");
    let unnamed = done(&mut looking(&directory, ["why"]));
    assert_eq!((unnamed.code, &*unnamed.err), (Some(0), ""));
    let (note, text) = unnamed.out.split_once("\n\n").unwrap();
    let id = note
        .strip_prefix("process ")
        .and_then(|note| note.split(',').next());
    assert!(text.contains(" (1): 1 waits, for "), "{text}");
    let id = id.unwrap();
    let named = done(&mut looking(&directory, ["why", id]));
    assert!(named.out.starts_with(note), "{}", named.out);
    let other = Service::start(&directory);
    let several = done(&mut looking(&directory, ["why"]));
    for id in [id, &other.id()] {
        assert!(
            several.err.contains(&format!("\n  {id}  it-")),
            "{}",
            several.err
        );
    }
}

#[test]
fn stopped_service_is_no_riddle() {
    let directory = Directory::new();
    let service = Service::start(&directory);
    signal(&service, Signal::STOP);
    service.process.until_stopped();
    let stopped = done(&mut looking(&directory, ["why"]));
    assert_eq!((stopped.code, &*stopped.out), (Some(69), ""));
    let hint = format!(
        "doesn't answer: it may be stopped, see `ps -o pid,stat,wchan -p {}`",
        service.id()
    );
    assert!(stopped.err.contains(&hint), "{}", stopped.err);
    let listed = done(&mut looking(&directory, ["ps", "--all"]));
    assert!(
        listed.out.starts_with("nobody holds a lock in "),
        "{}",
        listed.out
    );
    assert!(
        listed.err.contains("doesn't answer: it may be stopped"),
        "{}",
        listed.err
    );
}

#[test]
fn locks_in_memory_are_listed_beside_files() {
    let directory = Directory::new();
    let mut service = Service::start(&directory);
    for command in [
        "hold \u{1b}[2J",
        "wait \u{1b}[2J fetch",
        "hold idle",
        "hold again twice",
    ] {
        service.have_it(command);
    }
    let done_all = done(&mut looking(&directory, ["ps", "--all"]));
    assert_eq!((done_all.code, &*done_all.err), (Some(0), ""));
    assert!(
        done_all.out.contains("\n\nlocks in it-"),
        "{}",
        done_all.out
    );
    // No key has the terminal do something.
    assert!(done_all.out.contains(" cells/\\u{1b}[2J ") && !done_all.out.contains('\u{1b}'));
    assert!(done_all.out.contains(" cells/idle "), "{}", done_all.out);
    assert!(
        done_all.out.contains(" worker of again, 2 times") && !done_all.out.contains(" more"),
        "{}",
        done_all.out
    );
    let json = done(&mut looking(&directory, ["ps", "--all", "--json"]));
    let all: Value = serde_json::from_str(&json.out).unwrap();
    let lock = &all[0];
    assert_eq!(
        (&lock["space"], &lock["key"]),
        (&"cells".into(), &"\u{1b}[2J".into())
    );
    assert_eq!(
        (&lock["waiters"], &lock["in_process"]),
        (&1.into(), &true.into())
    );
    assert_eq!(lock["pid"], service.process.id());
    // Without it, files alone.
    let files = done(&mut looking(&directory, ["ps"]));
    assert!(!files.out.contains("cells/"), "{}", files.out);
    // The sockets are no lock files.
    assert_eq!(done(&mut looking(&directory, ["sweep"])).code, Some(0));
    assert!(fs::exists(&service.socket).unwrap());
}
