//! `lockutils why` where another process has the lock.

use crate::service::{Service, looking, program};
use crate::{Done, UNTIL_TOLD, done, lockutils};
use lockutils_tests::{Directory, LIMIT, Process};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::process::Command;
use std::time::Instant;

/// What it says of a service, as soon as that has all these parts in their order.
fn why(directory: &Directory, service: &Service, parts: &[&str]) -> String {
    let start = Instant::now();
    loop {
        let Done { code, out, err } = done(&mut looking(directory, ["why", &service.id()]));
        assert_eq!((code, &*err), (Some(0), ""));
        let mut rest = &out[..];
        let missing = parts.iter().find(|part| match rest.split_once(**part) {
            Some((_, after)) => {
                rest = after;
                false
            }
            None => true,
        });
        match missing {
            None => return out,
            Some(part) => assert!(start.elapsed() < LIMIT, "no {part:?} in {out}"),
        }
    }
}

#[test]
fn wait_is_followed_over_three_processes_to_who_has_the_last_lock() {
    let directory = Directory::new();
    let [mut first, mut second, mut third] = [(); 3].map(|()| Service::start(&directory));
    third.have_it("file c");
    second.have_it("file b then c");
    first.have_it("file a then b");
    // Nobody waits for what it holds, nor for this.
    third.have_it("hold 2f1c");
    let locks = directory.join("locks");
    let path = |name: &str| locks.join(name).display().to_string();
    let [b, c] = ["b", "c"].map(path);
    let (second_id, third_id) = (second.id(), third.id());
    let said = why(
        &directory,
        &first,
        &[
            "1 waits, for ",
            &format!("1  {b}, held by "),
            &format!(" in process {second_id} ("),
            "\n   └─ ",
            "thread \"a then b\" (",
            "\n\n1 → it-",
            &format!(" ({second_id}) has {b}:\n   {c}, held by "),
            &format!(" in process {third_id} ("),
            "\n      └─ ",
            "thread \"b then c\" (",
            &format!("and holds {b}\n\n   it-"),
            &format!(" ({third_id}) has {c}:\n      {c}, held by "),
            "thread \"c\" (",
            &format!(
                "\n         It waits for no lock itself. See what it does: gdb -p {third_id} "
            ),
        ],
    );
    assert!(
        !said.contains("2f1c") && !said.contains(&path("a")),
        "{said}"
    );
    let json = done(&mut looking(&directory, ["why", &first.id(), "--json"]));
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let followed = &json["causes"][0]["followed"];
    assert_eq!(followed["why"]["pid"], second.process.id());
    let last = &followed["followed"][0];
    assert_eq!(last["why"]["pid"], third.process.id());
    let culprit = &last["why"]["causes"][0]["culprit"];
    assert_eq!(culprit["thread"], "c", "{json:#}");
}

#[test]
fn processes_that_wait_for_one_another_are_told_once() {
    let directory = Directory::new();
    let [mut first, mut second] = [(); 2].map(|()| Service::start(&directory));
    first.have_it("file a");
    second.have_it("file b then a");
    // Another thread of the same process, and a task, are no part of it.
    let said = why(&directory, &second, &["thread \"a\" ("]);
    assert!(!said.contains("wait for one another"), "{said}");
    first.have_it("release a");
    let [mut third, mut fourth] = [(); 2].map(|()| Service::start(&directory));
    third.have_it("hold c first, d next");
    fourth.have_it("hold d first, c next");
    third.have_it("go on");
    fourth.have_it("go on");
    let said = why(
        &directory,
        &third,
        &[
            "1 → it-",
            &format!(" ({}) has ", fourth.id()),
            "/locks/d:\n",
            &format!(" ({}) has ", third.id()),
            "/locks/c:\n",
            "which is told above: these processes wait for one another",
        ],
    );
    assert_eq!(said.matches(" has ").count(), 3, "{said}");
}

/// Two who are behind the same one wait for that, and not for each other.
#[test]
fn process_that_two_causes_lead_to_is_told_once() {
    let directory = Directory::new();
    let [mut first, mut second, mut third] = [(); 3].map(|()| Service::start(&directory));
    third.have_it("file c");
    second.have_it("file b then c");
    first.have_it("file x then c");
    first.have_it("file y then b");
    let said = why(&directory, &first, &["has ", "what keeps it is told above"]);
    assert!(!said.contains("wait for one another"), "{said}");
}

#[test]
fn process_that_does_not_serve_or_is_gone_is_said_in_a_line() {
    let directory = Directory::new();
    let locks = directory.join("locks");
    fs::create_dir(&locks).unwrap();
    let args = ["run", "b"].iter().chain(&UNTIL_TOLD);
    let other = Process::start(&mut lockutils(&locks, args));
    other.hear_of("held");
    let mut service = Service::start(&directory);
    service.have_it("file a then b");
    let line = ", which doesn't serve its locks\n";
    let said = why(
        &directory,
        &service,
        &["\n\n1 → process ", "/locks/b: it runs process ", line],
    );
    assert!(said.ends_with(line), "{said}");
}

/// What has the lock is a process that does nothing but to wait for the end of another one.
#[test]
fn command_that_is_run_under_a_lock_is_what_is_looked_at() {
    let directory = Directory::new();
    let locks = directory.join("locks");
    fs::create_dir(&locks).unwrap();
    let run = lockutils(&locks, ["run", "b", "--"]);
    let mut command = Command::new("env");
    command.arg(format!("XDG_RUNTIME_DIR={}", directory.display()));
    command.envs(
        run.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command
        .arg(run.get_program())
        .args(run.get_args())
        .arg(program());
    let mut inner = Service::start_by(&mut command);
    inner.have_it("hold 2f1c");
    inner.have_it("wait 2f1c fetch");
    let mut service = Service::start(&directory);
    service.have_it("file a then b");
    let child = inner.socket.file_name().and_then(|name| name.to_str());
    let (child, _) = child.and_then(|name| name.split_once('-')).unwrap();
    why(
        &directory,
        &service,
        &[
            "/locks/b, held by process ",
            &format!(
                "what it runs. See what that does: ps -o pid,stat,etime,wchan:20,args -p {child} "
            ),
            &format!("--ppid {child}\n"),
            "\n\n1 → process ",
            ", which runs it-",
            &format!(" ({child}), has "),
            "/locks/b:\n   it-",
            "\n   1  cells/2f1c, held by ",
            "thread \"worker of 2f1c\" (",
        ],
    );
}

/// The process that has taken the lock is gone, and what it has run isn't.
#[test]
fn lock_that_was_left_by_who_was_killed_is_explained() {
    let directory = Directory::new();
    let locks = directory.join("locks");
    fs::create_dir(&locks).unwrap();
    let script = "echo $$ > $LOCKUTILS_DIR/../pid; echo held; exec sleep 1000";
    let args = ["run", "b", "--", "sh", "-c", script];
    let mut other = Process::start(&mut lockutils(&locks, args));
    other.hear_of("held");
    let heir = fs::read_to_string(directory.join("pid")).unwrap();
    let heir = heir.trim();
    let mut service = Service::start(&directory);
    service.have_it("file a then b");
    other.kill();
    let said = why(
        &directory,
        &service,
        &[
            "/locks/b, held by some process (sh -c echo ",
            "\n   What has started it has ended: the lock is held until all that it runs has.",
            "\n   See which processes have it: grep -l ",
        ],
    );
    let search = said.lines().find_map(|line| line.split_once("have it: "));
    let found = done(Command::new("sh").args(["-c", search.unwrap().1]));
    // Those of other users can't be read.
    let file = format!("/proc/{heir}/fdinfo/");
    assert!(
        found.out.contains(&file),
        "{heir}: {} {} {said}",
        found.out,
        found.err
    );
    let listed = done(&mut lockutils(&locks, ["ps"]));
    assert!(listed.out.contains(" sh -c echo "), "{}", listed.out);
    let heir = heir.parse().ok().and_then(Pid::from_raw);
    kill_process(heir.unwrap(), Signal::KILL).unwrap();
}

/// Its file is known to it by another path.
#[test]
fn file_is_found_in_the_other_process_whatever_it_is_called_there() {
    let directory = Directory::new();
    let [mut first, mut second] = [(); 2].map(|()| Service::start(&directory));
    second.have_it("file b");
    let locks = directory.join("locks");
    fs::hard_link(locks.join("b"), locks.join("same")).unwrap();
    first.have_it("file a then same");
    why(
        &directory,
        &first,
        &["/locks/same:\n", "/locks/b, held by ", "thread \"b\" ("],
    );
}
