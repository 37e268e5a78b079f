//! `lockutils run --on` and `lockutils ps --on`: locks of a server.
//!
//! Where one process suffices the server is in its memory; else it is each that is installed.

mod lost;
mod timeout;

use crate::pty::Terminal;
use crate::{Done, UNTIL_TOLD, can_unshare, code, done, lockutils, shell};
use lockutils_servers::{Etcd, Postgres, Redis};
use lockutils_tests::{Directory, LIMIT, Process, eventually};
use rustix::process::Signal;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read as _, Write as _};
use std::iter;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

/// In the memory of the process that is started.
const MEMORY: &str = "memory://cli";

/// The server may take as long as a test may, since the machine may be busy.
const PATIENT: &str = "--answer-timeout=300s";

/// A test at each server that is installed, at all of them at once. Others use it as well, so each has a
/// [prefix](on).
fn each(test: impl Fn(&str) + Sync) {
    static REDIS: LazyLock<Redis> = LazyLock::new(Redis::start);
    static POSTGRES: LazyLock<Postgres> = LazyLock::new(Postgres::start);
    static ETCD: LazyLock<Etcd> = LazyLock::new(Etcd::start);
    let servers: [(bool, fn() -> String); 3] = [
        (Redis::available(), || REDIS.url()),
        (Postgres::available(), || POSTGRES.url()),
        (Etcd::available(), || ETCD.url()),
    ];
    thread::scope(|scope| {
        for (_, url) in servers.iter().filter(|(is_available, _)| *is_available) {
            scope.spawn(|| test(&url()));
        }
    });
}

/// Has a server do something.
fn tell(redis: &Redis, command: &str) {
    let mut connection = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    write!(connection, "{command}\r\n").unwrap();
    let mut answer = [0; 5];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}

/// The command with locks of a server, which are those of the directory's name unless there is a prefix.
/// The server may take its time unless it is said how much.
fn on(directory: &Path, url: &str, args: &[&str]) -> Command {
    let name = directory.file_name().and_then(OsStr::to_str);
    let prefix = format!("--prefix={}", name.expect("a name"));
    let (subcommand, args) = args.split_first().expect("a subcommand");
    let prefix = (!args.contains(&"--prefix")).then_some(&*prefix);
    let is_patient = !args.contains(&"--answer-timeout");
    let args = iter::once(*subcommand)
        .chain(prefix)
        .chain(is_patient.then_some(PATIENT))
        .chain(args.iter().copied());
    let mut command = lockutils(directory, args);
    command.env("LOCKUTILS_ON", url);
    command
}

/// A process that holds locks of a server, until it is told a line.
fn holding(directory: &Path, url: &str, args: &[&str]) -> Process {
    let args = [&["run"], args, &UNTIL_TOLD].concat();
    let process = Process::start(&mut on(directory, url, &args));
    process.hear_of("held");
    process
}

/// Whether the lock can't be had now.
fn is_held(directory: &Path, url: &str, key: &str) -> bool {
    let done = done(&mut on(directory, url, &["run", "-qn", key, "--", "true"]));
    match done.code {
        Some(0) => false,
        Some(75) => true,
        other => panic!("{other:?}: {}", done.err),
    }
}

fn json(directory: &Path, url: &str) -> Vec<Value> {
    let done = done(&mut on(directory, url, &["ps", "--json"]));
    match serde_json::from_str(&done.out) {
        Ok(Value::Array(values)) => values,
        other => panic!("{other:?}: {}{}", done.out, done.err),
    }
}

#[track_caller]
fn fails(done: &Done, code: i32, text: &str) {
    assert_eq!((done.code, &*done.out), (Some(code), ""), "{}", done.err);
    assert!(done.err.contains(text), "{}", done.err);
}

#[test]
fn command_has_the_key_and_the_fence() {
    let directory = Directory::new();
    let script =
        "echo $LOCKUTILS_KEY; expr $LOCKUTILS_FENCE + 0 > /dev/null && echo a number; exit 5";
    let args = [
        "run", "-q", "--on", MEMORY, "a b", "c", "--", "sh", "-c", script,
    ];
    let done = done(&mut lockutils(&directory, args));
    assert_eq!(
        (done.code, &*done.out, &*done.err),
        (Some(5), "a b c\na number\n", "")
    );
    // No file is made.
    assert_eq!(fs::read_dir(&*directory).unwrap().count(), 0);
}

#[test]
fn memory_is_said_to_exclude_nobody() {
    let directory = Directory::new();
    let done = done(&mut lockutils(
        &directory,
        ["run", "--on", MEMORY, "key", "--", "true"],
    ));
    assert_eq!(done.code, Some(0));
    assert!(done.err.contains("excludes no other"), "{}", done.err);
}

/// It is needed for the command to end with its lock, and nothing is said of the command.
#[test]
fn proc_that_is_not_there_is_said() {
    let directory = Directory::new();
    if !can_unshare(&["--mount", "umount", "-l", "/proc"]) {
        return lockutils_tests::skip("`/proc` can't be taken away here");
    }
    let script = format!(
        "exec unshare --mount sh -c 'umount -l /proc; exec lockutils run --on {MEMORY} -q key -- true'"
    );
    let done = done(&mut shell(&directory, &script));
    fails(&done, 74, "see that `/proc` is there: No such file");
    let plain = script.replace(&format!("--on {MEMORY} "), "");
    assert_eq!(code(&mut shell(&directory, &plain)), 0);
}

#[test]
fn server_is_the_one_that_is_named() {
    let directory = Directory::new();
    let is_server = |args: &[&str], variable: &str| {
        let command = ["key", "--", "sh", "-c", "echo ${LOCKUTILS_FENCE:+server}"];
        let args = [&["run", "-q"], args, &command].concat();
        let done = done(lockutils(&directory, args).env("LOCKUTILS_ON", variable));
        assert_eq!((done.code, &*done.err), (Some(0), ""));
        done.out == "server\n"
    };
    assert!(is_server(&[], MEMORY));
    assert!(is_server(&["--on", MEMORY], ""));
    assert!(is_server(&["--on", MEMORY], "nonsense"));
    assert!(!is_server(&[], ""));
    let dir = directory.to_str().unwrap();
    assert!(!is_server(&["--dir", dir], MEMORY));
    assert!(!is_server(&["--oslo", "--dir", dir], MEMORY));
    // A command with a directory of its own has its files there.
    let args = ["wrap", "--", "sh", "-c", "echo \"$LOCKUTILS_ON\""];
    let mut command = lockutils(&directory, args);
    assert_eq!(done(command.env("LOCKUTILS_ON", MEMORY)).out, "\n");
}

#[test]
fn arguments_that_are_wrong_are_said_so() {
    let directory = Directory::new();
    let command = ["key", "--", "true"];
    for (args, text) in [
        (&["--on", "nonsense://host"][..], "scheme"),
        (&["--on", ""], "URL"),
        (&["--on", "postgres://user:hunter2@host:port/db"], "port"),
        (&["--on", "mysql://user:hunter2@host/db"], "postgres"),
        (&["--on", MEMORY, "--dir", "."], "--dir"),
        (&["--on", MEMORY, "--ttl", "10ms"], "1s"),
        (&["--on", MEMORY, "--grace", "soon"], "5s"),
        (&["--on", "redis://host", "--shared"], "--shared"),
        (&["--on", "etcd://host", "--shared"], "--shared"),
        (&["--on", "etcd://host", "--ttl", "1s"], "2s"),
        (&["--on", "postgres://host/db", "--ttl", "1y"], "24 days"),
        (&["--on", MEMORY, "--ttl", "1e18"], "36500 days"),
        (&["--ttl", "5s"], "--on"),
        (&["--grace", "5s"], "--on"),
        (&["--answer-timeout", "5s"], "--on"),
        (&["--answer-timeout", "5s", "--dir", "."], "--on"),
        (&["--on", MEMORY, "--answer-timeout", "0"], "1s"),
    ] {
        let args = [&["run"], args, &command].concat();
        let done = done(&mut lockutils(&directory, args));
        fails(&done, 64, text);
        assert!(!done.err.contains("hunter2"), "{}", done.err);
    }
    let empty = ["run", "--on", MEMORY, "", "--", "true"];
    fails(&done(&mut lockutils(&directory, empty)), 64, "key");
    let ps = ["ps", "--on", "redis://user:hunter2@host:port"];
    let done = done(&mut lockutils(&directory, ps));
    fails(&done, 64, "port");
    assert!(!done.err.contains("hunter2"), "{}", done.err);
}

/// Which is shown where the two hyphens were forgotten, else.
#[test]
fn hint_has_no_password() {
    let directory = Directory::new();
    let args = ["run", "key", "echo", "--on", "redis://user:hunter2@host"];
    let done = done(&mut lockutils(&directory, args));
    fails(&done, 64, "lockutils run ");
    assert!(!done.err.contains("hunter2"), "{}", done.err);
}

#[test]
fn server_that_is_not_there_is_said_so() {
    let directory = Directory::new();
    let urls = ["redis", "postgres", "etcd"];
    let urls = urls.map(|scheme| format!("{scheme}://user:hunter2@127.0.0.1:1"));
    let brief = ["--answer-timeout", "1s"];
    let run = [&["run"], &brief[..], &["key", "--", "true"]].concat();
    let ps = [&["ps"], &brief[..]].concat();
    let json = [&ps[..], &["--json"]].concat();
    // Each takes as long as a server may be silent.
    thread::scope(|scope| {
        for url in &urls {
            for args in [&run, &ps, &json] {
                let mut command = on(&directory, url, args);
                scope.spawn(move || {
                    let done = done(&mut command);
                    fails(&done, 69, "127.0.0.1:1");
                    assert!(!done.err.contains("hunter2"), "{}", done.err);
                });
            }
        }
    });
}

/// Wrong passwords and none, of a server that demands the right one.
fn refuses_logins(url: &str, right: &str, wrong: &[&str]) {
    let directory = Directory::new();
    let url = |login: &str| url.replace("://", &format!("://{login}"));
    for login in wrong {
        for args in [&["run", "key", "--", "true"][..], &["ps"]] {
            let done = done(&mut on(&directory, &url(login), args));
            fails(&done, 69, "127.0.0.1");
            assert!(done.err.contains("password"), "{login}: {}", done.err);
            assert!(!done.err.contains("hunter"), "{}", done.err);
        }
    }
    assert!(!is_held(&directory, &url(right), "key"));
}

#[test]
fn password_that_is_wrong_is_said_at_once_by_redis() {
    if !Redis::available() {
        return;
    }
    let redis = Redis::start();
    tell(&redis, "CONFIG SET requirepass hunter1");
    refuses_logins(&redis.url(), ":hunter1@", &["", ":hunter2@"]);
}

#[test]
fn password_that_is_wrong_is_said_at_once_by_postgres() {
    if !Postgres::available() {
        return;
    }
    let postgres = Postgres::start();
    let psql = |command: &str| {
        let mut psql = Command::new("psql");
        let output = psql.args(["-wqAtc", command, &postgres.url()]).output();
        let output = output.expect("it is installed with the server");
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (_, rules) = psql("SHOW hba_file");
    for command in [
        "ALTER ROLE postgres PASSWORD 'hunter1'",
        &format!(
            "COPY (SELECT 'host all all all scram-sha-256') TO '{}'",
            rules.trim()
        ),
        "SELECT pg_reload_conf()",
    ] {
        assert!(psql(command).0, "{command}");
    }
    eventually("it demands passwords", || !psql("SELECT 1").0);
    let url = postgres.url().replace("postgres@", "");
    let wrong = ["postgres@", "postgres:hunter2@", "nobody:hunter1@"];
    refuses_logins(&url, "postgres:hunter1@", &wrong);
}

#[test]
fn password_that_is_wrong_is_said_at_once_by_etcd() {
    if !Etcd::available() {
        return;
    }
    let etcd = Etcd::start();
    etcd.demand_logins();
    let wrong = ["", "root:hunter2@", "somebody:s3cret@"];
    refuses_logins(&etcd.url(), "root:s3cret@", &wrong);
}

/// Who may not make what the locks need is told what the owner has to run.
#[test]
fn right_that_is_missing_is_said() {
    if !Postgres::available() {
        return;
    }
    let (directory, postgres) = (Directory::new(), Postgres::start());
    let setup = "CREATE ROLE app LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    let setup = Command::new("psql")
        .args(["-qc", setup, &postgres.url()])
        .status();
    assert!(setup.unwrap().success());
    let url = postgres.url().replace("postgres@", "app@");
    let args = ["run", "key", "--", "true"];
    fails(
        &done(&mut on(&directory, &url, &args)),
        69,
        "CREATE SEQUENCE",
    );
}

#[test]
fn locks_exclude_other_processes() {
    each(|url| {
        let directory = Directory::new();
        let mut holder = holding(&directory, url, &["key"]);
        let host = rustix::system::uname();
        let host = host.nodename().to_str().unwrap();
        let who = format!(
            "lock \"key\" is busy: held by process {} on {host} (sh -c echo held; read line) for ",
            holder.id()
        );
        // PostgreSQL is told a little later what the command is.
        eventually("the server knows who it is", || {
            let args = ["run", "-n", "key", "--", "true"];
            let busy = done(&mut on(&directory, url, &args));
            fails(&busy, 75, "lock \"key\" is busy: held by process ");
            busy.err.contains(&who)
        });
        // Which is also how long the server may take to answer at all.
        let mut timeouts = ["50ms", "500ms", "5s", "50s"].iter();
        let mut given_up = || {
            let timeout = timeouts.next().expect("an answer");
            done(&mut on(
                &directory,
                url,
                &["run", "--timeout", timeout, "key", "--", "true"],
            ))
        };
        let mut late = given_up();
        while late.code == Some(69) {
            late = given_up();
        }
        fails(&late, 75, "timed out after ");
        assert!(!is_held(&directory, url, "other"));
        // Another prefix is other locks.
        let args = ["run", "-n", "--prefix", "x", "key", "--", "true"];
        assert_eq!(code(&mut on(&directory, url, &args)), 0);
        let waiter = ["run", "key", "--", "echo", "inside"];
        let waiter = Process::start(&mut on(&directory, url, &waiter));
        holder.tell("");
        waiter.hear_of("inside");
    });
}

#[test]
fn sharers_are_together_where_the_server_has_such_holds() {
    if !Postgres::available() {
        return;
    }
    let (directory, postgres) = (Directory::new(), Postgres::start());
    let url = postgres.url();
    let status = |args: &[&str]| {
        let args = [
            &["run", "-qn", "--prefix", "x"],
            args,
            &["key", "--", "true"],
        ]
        .concat();
        code(&mut on(&directory, &url, &args))
    };
    let _holder = holding(&directory, &url, &["--shared", "--prefix", "x", "key"]);
    assert_eq!(status(&["--shared"]), 0);
    assert_eq!(status(&[]), 75);
    // And where nobody can come in anyway.
    let args = ["run", "-q", "--on", MEMORY, "--shared", "key", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, args)), 0);
}

/// All users of the host see the arguments of a process.
#[test]
fn password_is_nowhere_to_be_seen() {
    let check = |url: &str| {
        let script = "lockutils run $PATIENT key -- sh -c '
            lockutils ps $PATIENT; lockutils ps $PATIENT --json
            lockutils run $PATIENT -n key -- true; lockutils run $PATIENT key -- true
            cat /proc/[0-9]*/cmdline; echo held'";
        let mut script = shell(&Directory::new(), script);
        let done = done(script.env("LOCKUTILS_ON", url).env("PATIENT", PATIENT));
        assert!(done.out.ends_with("held\n"), "{}{}", done.out, done.err);
        assert!(done.err.contains("held by process "), "{}", done.err);
        let said = done.out + &done.err;
        assert!(!said.contains("a-secret"), "{said}");
    };
    if Redis::available() {
        let redis = Redis::start();
        tell(&redis, "CONFIG SET requirepass a-secret");
        check(&format!("redis://:a-secret@127.0.0.1:{}", redis.port()));
    }
    if Postgres::available() {
        // Which takes any.
        let postgres = Postgres::start();
        check(&postgres.url().replace('@', ":a-secret@"));
    }
}

#[test]
fn fence_is_greater_for_each_hold() {
    each(|url| {
        let directory = Directory::new();
        let script = "echo $LOCKUTILS_FENCE";
        let fence = || {
            let done = done(&mut on(
                &directory,
                url,
                &["run", "key", "--", "sh", "-c", script],
            ));
            let fence = done.out.trim().parse::<u64>();
            fence.unwrap_or_else(|error| panic!("{error}: {}", done.err))
        };
        let fences: Vec<_> = (0..3).map(|_| fence()).collect();
        assert!(fences.is_sorted_by(|a, b| a < b), "{fences:?}");
    });
}

#[test]
fn ps_shows_who_holds_what() {
    each(|url| {
        let directory = Directory::new();
        let none = done(&mut on(&directory, url, &["ps"]));
        assert_eq!(none.code, Some(0), "{}", none.err);
        assert!(
            none.out.starts_with("nobody holds a lock in "),
            "{}",
            none.out
        );
        let holder = holding(&directory, url, &["key"]);
        let mut locks = Vec::new();
        // PostgreSQL is told a little later.
        eventually("the server knows who it is", || {
            locks = json(&directory, url);
            locks.len() == 1
        });
        let lock = &locks[0];
        assert_eq!(lock["key"], "key");
        assert_eq!(lock["pid"], holder.id());
        assert_eq!(
            lock["host"],
            rustix::system::uname().nodename().to_str().unwrap()
        );
        assert_eq!(lock["command"], "sh -c echo held; read line");
        let since = humantime::parse_rfc3339(lock["since"].as_str().unwrap()).unwrap();
        assert!(since.elapsed().unwrap_or_default() < LIMIT);
        assert_eq!(lock["waiters"], 0);
        let waiter = ["run", "key", "--", "true"];
        let _waiter = Process::start(&mut on(&directory, url, &waiter));
        eventually("the server knows that somebody waits", || {
            json(&directory, url)[0]["waiters"] == 1
        });
        let table = done(&mut on(&directory, url, &["ps"])).out;
        assert!(table.contains(&format!("{} on ", holder.id())), "{table}");
        assert!(table.contains(" sh -c echo held; read line "), "{table}");
        let mut terminal = Terminal::start(&on(&directory, url, &["ps", "--watch"]));
        terminal.until_it_has(&format!("{} on ", holder.id()));
        terminal.press("q");
        assert_eq!(terminal.end().0, 0);
    });
}

/// As on a full disk.
#[test]
fn ps_shows_a_lock_that_could_not_be_written_down_by_its_key() {
    if !Postgres::available() {
        return;
    }
    let (directory, postgres) = (Directory::new(), Postgres::start());
    let url = postgres.url();
    assert!(!is_held(&directory, &url, "makes the table"));
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                  'BEGIN RAISE disk_full; END'; \
                  CREATE TRIGGER refuse BEFORE INSERT ON lockutils_holders EXECUTE FUNCTION refuse()";
    let refuse = Command::new("psql").args(["-qc", refuse, &url]).status();
    assert!(refuse.unwrap().success());
    let holder = holding(&directory, &url, &["key"]);
    let shown = done(&mut on(&directory, &url, &["ps", "key", "other", "key"]));
    let row = format!(" key  {} on ", holder.id());
    assert_eq!(
        shown.out.matches(&row).count(),
        1,
        "{}{}",
        shown.out,
        shown.err
    );
    assert!(!shown.out.contains("other"), "{}", shown.out);
}

#[test]
fn who_waits_for_an_ancestor_is_told_at_once() {
    each(|url| {
        let directory = Directory::new();
        let script = "lockutils run $PATIENT above -- lockutils run $PATIENT above -- echo inside";
        let mut script = shell(&directory, script);
        let done = done(script.env("LOCKUTILS_ON", url).env("PATIENT", PATIENT));
        fails(&done, 70, "which has started this one");
    });
}

#[test]
fn line_says_for_whom_one_waits() {
    each(|url| {
        let directory = Directory::new();
        let mut holder = holding(&directory, url, &["key"]);
        let args = ["run", "key", "--", "echo", "inside"];
        let mut terminal = Terminal::start(&on(&directory, url, &args));
        terminal.until_it_has(&format!("held by process {} on ", holder.id()));
        holder.tell("");
        terminal.until_it_has("inside");
        assert_eq!(terminal.end().0, 0);
    });
}

/// Nobody waits for a lease behind one that has given up.
#[test]
fn signal_ends_the_wait_and_its_place_in_the_queue() {
    each(|url| {
        let directory = Directory::new();
        let mut holder = holding(&directory, url, &["key"]);
        let args = ["run", "--ttl", "600s", "key", "--", "true"];
        for signal in [Signal::TERM, Signal::INT] {
            let mut terminal = Terminal::start(&on(&directory, url, &args));
            terminal.until_it_has("held by process ");
            terminal.signal(signal);
            assert_ne!(terminal.end().0, 0);
        }
        let args = ["run", "key", "--", "echo", "inside"];
        let next = Process::start(&mut on(&directory, url, &args));
        holder.tell("");
        next.hear_of("inside");
    });
}
