//! Attaching to a process that runs, by its socket: what is answered, where the socket may be, and
//! what those can do who mean harm.
//!
//! In a binary of its own, since what is shown is of all locks of the process. Where a process is to be
//! measured, or has other variables or another user, it is this program once more, which runs one
//! of the tests that are ignored.

#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod abuse;
mod answer;
mod group;
mod place;

use lockutils::Locks;
use lockutils::inspect::{Builder, Keys, Server, from_env, serve};
use lockutils_conformance::Process;
use lockutils_tests::{ByHand, Directory};
use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Long enough that it is never over in a test.
const LONG: Duration = Duration::from_secs(60);

/// A socket in a directory of its own.
struct Served {
    directory: Directory,
    server: Server,
    _alone: MutexGuard<'static, ()>,
}

/// One test at a time, since all of them look at the locks of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Served {
    fn new(keys: Keys) -> Self {
        let alone = alone();
        let directory = Directory::new();
        let builder = Builder::new().path(directory.join("socket")).keys(keys);
        Self {
            server: builder.serve().unwrap(),
            directory,
            _alone: alone,
        }
    }

    fn attach(&self) -> Client {
        Client::attach(self.server.path())
    }
}

/// A client that is let in.
struct Client {
    lines: BufReader<UnixStream>,
    hello: Value,
}

impl Client {
    fn attach(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut client = Self {
            lines: BufReader::new(stream),
            hello: Value::Null,
        };
        client.hello = client.hear().expect("somebody is there");
        client
    }

    /// The next line; `None` when the server has hung up.
    fn hear(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert!(line.len() <= 1024 * 1024);
        (!line.is_empty()).then(|| serde_json::from_str(&line).expect("JSON"))
    }

    fn ask(&mut self, request: &str) -> Value {
        writeln!(self.lines.get_mut(), "{request}").unwrap();
        self.hear().expect("an answer")
    }
}

/// A future that waits, in a task of its own.
fn waits<'a>(locks: &'a Locks, key: &str) -> ByHand<impl Future + use<'a>> {
    let mut waits = ByHand::new(locks.key(key).lock_async());
    assert!(waits.poll().is_pending());
    waits
}

/// This program once more, which runs one of the ignored tests.
fn again(command: &mut Command, test: &str) -> Process {
    let command = command.args([test, "--exact", "--ignored", "--nocapture"]);
    Process::start_marked(command, "> ")
}

fn itself() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// Says something to the test that has started this one.
fn say(text: impl std::fmt::Display) {
    // On a line of its own.
    println!("\n> {text}");
}

/// Does what it is told to, until the test ends it.
#[test]
#[ignore = "is run by other tests"]
fn service() {
    let result = |served: io::Result<Option<Server>>| match served {
        Ok(Some(server)) => {
            say(server.path().display());
            Some(server)
        }
        Ok(None) => {
            say("nothing");
            None
        }
        Err(error) => {
            say(format_args!("{:?}: {error}", error.kind()));
            None
        }
    };
    let mut server = None;
    for line in io::stdin().lines().map_while(Result::ok) {
        match &*line {
            "serve" => server = result(serve().map(Some)),
            "from_env" => server = result(from_env()),
            "end" => {
                drop(server.take());
                say("ended");
            }
            path => {
                let builder = match path.strip_prefix("group ") {
                    Some(named) => match named.split_once(' ') {
                        Some((group, path)) => Builder::new().group(group).path(path),
                        None => Builder::new().group(named),
                    },
                    None => Builder::new().path(path),
                };
                server = result(builder.serve().map(Some));
            }
        }
    }
}

/// The table of what the crate's features cost.
#[test]
fn feature_brings_no_crate() {
    let tree = |features: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args([
            "tree",
            "--offline",
            "--locked",
            "--prefix=none",
            "--edges=normal,build",
        ]);
        command.args(["--package=lockutils"]).args(features);
        let output = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let without = tree(&[]);
    assert!(without.contains("parking_lot "), "{without}");
    assert_eq!(tree(&["--features=inspect"]), without);
}
