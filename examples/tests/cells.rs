//! The example `cells`, run as its users run it.

mod example;

use example::example;
use lockutils_servers::{Etcd, Postgres, Redis};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use uuid::Uuid;

/// One line of the table that the example prints.
#[derive(Debug)]
struct Row {
    locked: bool,
    meant: u32,
    opened: u32,
    leaked: u32,
}

fn cells() -> Command {
    example("cells")
}

fn run(arguments: &[&str]) -> Output {
    cells()
        .args(arguments)
        .output()
        .expect("the example starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the example prints UTF-8")
}

/// What it has printed, each line and paragraph behind the last one.
fn words(output: &Output) -> String {
    let words: Vec<_> = text(&output.stdout).split_whitespace().collect();
    words.join(" ")
}

/// One line of the second table, on what processes have made, or of the third, on what hosts have
/// migrated.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    cells: u32,
    made: u32,
    failed: u32,
    complete: u32,
}

/// That of so many cells of which each was made, or migrated, once and completely.
const fn each_once(cells: u32) -> Outcome {
    Outcome {
        cells,
        made: cells,
        failed: 0,
        complete: cells,
    }
}

/// The lines without a lock and with one, of what processes have made.
fn made(output: &Output) -> [Outcome; 2] {
    outcomes(output, "databases, ")
}

/// The same, of what hosts have migrated.
fn migrated(output: &Output) -> [Outcome; 2] {
    outcomes(output, "migrations, ")
}

fn outcomes(output: &Output, beginning: &str) -> [Outcome; 2] {
    let lines = text(&output.stdout).lines();
    let lines = lines.filter(|line| line.starts_with(beginning) && line.ends_with(" ms"));
    let made = lines.map(|line| {
        let mut words = line.split_whitespace().rev().skip(2);
        let mut number = || words.next()?.parse().ok();
        let (complete, failed, made) = (number(), number(), number());
        Outcome {
            cells: number().expect("a number of cells"),
            made: made.expect("a number of databases made"),
            failed: failed.expect("a number of failures"),
            complete: complete.expect("a number of complete databases"),
        }
    });
    let made: Vec<_> = made.collect();
    made.try_into().expect("two lines")
}

/// Whether it is a line of the tables on databases.
fn is_outcome(line: &str) -> bool {
    let beginnings = ["databases, ", "migrations, ", "late write, "];
    { beginnings }
        .iter()
        .any(|beginning| line.starts_with(beginning))
}

/// Reads the rows from the right, since the names on the left have spaces in them.
fn rows(output: &Output) -> Vec<Row> {
    text(&output.stdout)
        .lines()
        .filter(|line| line.ends_with(" ms") && !is_outcome(line))
        .map(|line| {
            let mut words = line.split_whitespace().rev().skip(2);
            let mut number = || words.next()?.parse().ok();
            let (leaked, opened, meant) = (number(), number(), number());
            Row {
                locked: line.contains("per cell"),
                meant: meant.expect("a number of connections meant"),
                opened: opened.expect("a number of connections opened"),
                leaked: leaked.expect("a number of connections leaked"),
            }
        })
        .collect()
}

#[test]
fn locked_runs_open_what_was_meant() {
    let output = run(&["--cells", "3", "--requests", "90", "--workers", "2"]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    let locked: Vec<_> = rows(&output).into_iter().filter(|row| row.locked).collect();
    let meant: Vec<_> = locked.iter().map(|row| row.meant).collect();
    assert_eq!(meant, [3, 3, 3, 6]);
    for row in &locked {
        assert_eq!((row.opened, row.leaked), (row.meant, 0), "{row:?}");
    }
}

#[test]
fn unlocked_tasks_leak() {
    let output = run(&[]);

    let unlocked: Vec<_> = rows(&output)
        .into_iter()
        .filter(|row| !row.locked)
        .collect();
    assert_eq!(unlocked.len(), 4);
    let tasks = &unlocked[0];
    assert!(tasks.leaked > 0, "{tasks:?}");
    assert_eq!(tasks.opened - tasks.meant, tasks.leaked);
}

#[test]
fn locked_processes_make_each_database_once() {
    let output = run(&["--cells", "7", "--requests", "7", "--workers", "5"]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    let [_, locked] = made(&output);
    assert_eq!(locked, each_once(7));
}

/// Where the machine is busy, each process may find nobody in its way. Not again and again.
#[test]
fn unlocked_processes_are_in_each_others_way() {
    let went_wrong = |_| {
        let [unlocked, _] = made(&run(&["--requests", "7"]));
        unlocked.made > unlocked.cells || unlocked.failed > 0
    };
    assert!((0..10).any(went_wrong));
}

#[test]
fn killed_process_leaves_its_work_to_another() {
    let output = run(&["--cells", "1", "--requests", "1", "--workers", "1"]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = words(&output);
    assert!(told.contains("was killed (SIGKILL)"), "{told}");
    assert!(told.contains("made it anew, completely"), "{told}");
}

/// Of the fence the third line of the table tells, and a sentence.
#[track_caller]
fn late_write_is_refused(output: &Output) {
    let late = |line: &&str| line.starts_with("late write, ") && line.contains(" refused ");
    let told = text(&output.stdout);
    assert!(told.lines().any(|line| late(&line)), "{told}");
    let words = words(output);
    assert!(words.contains("woke up, too late,"), "{told}");
    assert!(
        words.contains("the database has seen a greater fence than "),
        "{told}"
    );
}

#[test]
fn locked_hosts_migrate_each_database_once() {
    let output = run(&["--cells", "7", "--requests", "7", "--workers", "5"]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    let [_, locked] = migrated(&output);
    assert_eq!(locked, each_once(7));
    late_write_is_refused(&output);
    // Nothing is said to have been stopped that wasn't.
    let told = words(&output);
    assert!(told.contains("threads here"), "{told}");
    assert!(!told.contains("SIGSTOP"), "{told}");
}

#[test]
fn unlocked_hosts_are_in_each_others_way() {
    let went_wrong = |_| {
        let [unlocked, _] = migrated(&run(&["--requests", "7"]));
        unlocked.made > unlocked.cells || unlocked.failed > 0
    };
    assert!((0..10).any(went_wrong));
}

/// Where the server isn't in the process, the hosts are processes.
#[track_caller]
fn processes_migrate_each_database_once(server: &str) {
    let output = run(&["--cells=3", "--requests=3", "--fleet", server]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    let [_, locked] = migrated(&output);
    assert_eq!(locked, each_once(3));
    late_write_is_refused(&output);
    let told = words(&output);
    assert!(told.contains("was stopped (SIGSTOP)"), "{told}");
}

#[test]
fn hosts_with_redis_migrate_each_database_once() {
    if Redis::available() {
        processes_migrate_each_database_once(&Redis::start().url());
    }
}

#[test]
fn hosts_with_postgres_migrate_each_database_once() {
    if Postgres::available() {
        processes_migrate_each_database_once(&Postgres::start().url());
    }
}

#[test]
fn hosts_with_etcd_migrate_each_database_once() {
    if Etcd::available() {
        processes_migrate_each_database_once(&Etcd::start().url());
    }
}

#[test]
fn server_that_is_not_there_fails_the_run() {
    let server = "redis://user:hunter2@127.0.0.1:1";
    let output = run(&["--cells=1", "--requests=1", "--fleet", server]);

    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("127.0.0.1:1"), "{complaint}");
    assert!(!complaint.contains("hunter2"), "{complaint}");
}

#[test]
fn few_requests_mean_few_connections() {
    let output = run(&["--cells", "5", "--requests", "3", "--workers", "8"]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(rows(&output).iter().all(|row| row.meant == 3));
}

#[test]
fn progress_is_for_terminals_only() {
    let output = run(&["--cells", "1", "--requests", "10", "--workers", "1"]);

    assert_eq!(text(&output.stderr), "");
}

#[test]
fn wrong_option_is_named() {
    for (arguments, culprit) in [
        (["--cells", "0"], "--cells"),
        (["--cells", "501"], "--cells"),
        (["--requests", "many"], "--requests"),
        (["--workers", "4294967296"], "--workers"),
        (["--worker", "4"], "--worker"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(culprit), "{arguments:?}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn help_lists_the_options() {
    let output = run(&["--help"]);

    assert!(output.status.success());
    for option in ["--cells", "--requests", "--workers", "--fleet", "--help"] {
        assert!(text(&output.stdout).contains(option), "{option}");
    }
    for hidden in ["worker ", "make ", "migrate "] {
        assert!(!text(&output.stdout).contains(&format!("\n  {hidden}")));
    }
}

#[test]
fn worker_without_cells_says_what_is_missing() {
    for worker in [
        &["worker", "/no/such/directory", "1", "none"][..],
        &["make", "/no/such/directory", "none"],
        &["migrate", "/no/such/directory", "none"],
    ] {
        let output = run(worker);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            text(&output.stderr).contains("cannot read the cell mappings in `/no/such/directory`")
        );
    }
}

#[test]
fn wrong_answer_fails_the_worker() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    let address = listener.local_addr().expect("a bound port");
    let uuid = Uuid::new_v4();
    write_database(
        &directory.path().join("api.sqlite"),
        &format!(
            "CREATE TABLE cell_mappings (id INTEGER PRIMARY KEY, uuid TEXT, transport_url TEXT);
             INSERT INTO cell_mappings VALUES (1, '{uuid}', '{address}');"
        ),
    );
    write_database(
        &directory.path().join(format!("cell-{uuid}.sqlite")),
        "CREATE TABLE instances (id INTEGER PRIMARY KEY, host TEXT, memory_mb INTEGER);
         WITH RECURSIVE ids(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM ids WHERE id < 99)
         INSERT INTO instances SELECT id, 'another-host', 512 FROM ids;",
    );

    let bus = thread::spawn(move || {
        let (mut client, _) = listener.accept()?;
        let mut greeting = [0; 16];
        client.read_exact(&mut greeting)?;
        client.write_all(&greeting)
    });
    let output = cells()
        .arg("worker")
        .arg(directory.path())
        .args(["1", "per cell"])
        .output()
        .expect("the example starts");

    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains(&format!("cell `{uuid}` gave a wrong answer")),
        "{complaint}"
    );
    let answered = bus.join().expect("the bus doesn't panic");
    answered.expect("the worker said which cell it is for");
}

fn write_database(path: &Path, statements: &str) {
    rusqlite::Connection::open(path)
        .and_then(|database| database.execute_batch(statements))
        .expect("a database can be written");
}

#[cfg(unix)]
#[test]
fn failed_run_leaves_no_directory() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut child = cells()
        .args(["--cells", "2", "--requests", "20", "--workers", "2"])
        .env("TMPDIR", directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    // Nobody reads the table, so that printing it fails.
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the example ends");

    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot print the table"));
    let left = directory.path().read_dir().expect("it can be listed");
    assert_eq!(left.count(), 0);
}
