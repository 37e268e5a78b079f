//! The other processes of a case.
//!
//! Each is the test's own program once more, told to run the same test alone. There it makes its
//! space at the place that it is told, and obeys. It answers on standard output, with a mark, since
//! the test harness writes there as well:
//!
//! | command | does | answers |
//! |---|---|---|
//! | `hold`, `share`, `task KEY` | takes a lock, as a thread, shared, or as a task | `asks`, and `held` when it has it |
//! | `try KEY` | tries to | `held` or `busy` |
//! | `timeout KEY` | waits for a short time | `held` or `late` |
//! | `release` | ends the latest hold | `released` |
//! | `contend ROUNDS FILE` | see [`contend`] | `done` |
//! | `circle ROUNDS KEYS` | takes keys together, again and again | `done` |
//!
//! It ends when its standard input does.

use crate::limit::{eventually, yield_now};
use crate::process::Process;
use crate::subject::Subject;
use crate::take::{KEY, SHORT, hold, hold_all, hold_async, try_hold, wait};
use lockutils::engine::Mode;
use lockutils::{Error, ErrorKind};
use std::any::Any;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

const MARK: &str = "lockutils-conformance: ";
const PLACE: &str = "LOCKUTILS_CONFORMANCE_PLACE";

/// Starts a process that runs the test of this name, at a place.
pub(crate) fn start(test: &str, place: &Path) -> Process {
    let program = env::current_exe().expect("the test's own program");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture", "--include-ignored"]);
    Process::start_marked(command.env(PLACE, place), MARK)
}

/// Where this process is told to have its space, if it is the other one of a case.
pub(crate) fn place() -> Option<PathBuf> {
    env::var_os(PLACE).map(PathBuf::from)
}

/// What all processes of a case are to know, such as the URL of a server that only the first can
/// start: it calls `make` and writes that down at the place, and the others read it there.
///
/// # Panics
///
/// If the first process has not written it within the [`LIMIT`](crate::LIMIT).
pub fn told_by_the_first(place: &Path, make: impl FnOnce() -> String) -> String {
    let file = place.join("told");
    if self::place().is_none() {
        let written = place.join("written");
        fs::write(&written, make()).expect("the place can be written to");
        fs::rename(written, &file).expect("the place can be written to");
    }
    // Other processes may be here first.
    eventually("the first process has written it", || file.exists());
    fs::read_to_string(file).expect("it was written")
}

/// Obeys the commands until there are no more.
pub(crate) fn obey<S: Subject>(space: &S::Space) {
    let mut holds: Vec<Box<dyn Any>> = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line.expect("commands are text");
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match command {
            "hold" | "share" | "task" => {
                say("asks");
                holds.push(match command {
                    "hold" => Box::new(hold(space, rest)),
                    "share" => Box::new(wait(space, rest, Mode::Shared).block().unwrap()),
                    _ => Box::new(pollster::block_on(hold_async(space, rest))),
                });
                say("held");
            }
            "try" => keep(&mut holds, try_hold(space, rest), "busy"),
            "timeout" => {
                let waited = wait(space, rest, Mode::Exclusive).block_for(SHORT);
                keep(&mut holds, waited, "late");
            }
            "release" => {
                drop(holds.pop().expect("something is held"));
                say("released");
            }
            "contend" => {
                let (rounds, file) = counted(rest);
                contend::<S>(space, rounds, Path::new(file));
                say("done");
            }
            "circle" => {
                let (rounds, keys) = counted(rest);
                circle::<S>(space, rounds, &keys.split(' ').collect::<Vec<_>>());
                say("done");
            }
            _ => panic!("unknown command {command:?}"),
        }
    }
}

/// Keeps what is held, or says that it was refused.
fn keep<G: 'static>(holds: &mut Vec<Box<dyn Any>>, tried: Result<G, Error>, refused: &str) {
    match tried {
        Ok(guard) => {
            holds.push(Box::new(guard));
            say("held");
        }
        Err(error) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Timeout) => say(refused),
        Err(error) => panic!("{error}"),
    }
}

fn counted(text: &str) -> (usize, &str) {
    let (count, rest) = text.split_once(' ').expect("a number before the rest");
    (count.parse().expect("a number"), rest)
}

fn say(answer: &str) {
    let mut out = io::stdout().lock();
    // The harness may have begun a line. Who no longer listens needs no answer.
    let _ = writeln!(out, "\n{MARK}{answer}").and_then(|()| out.flush());
}

/// A thread and a task take one lock again and again. The holder makes a file, which must not be
/// there yet, and removes it.
pub(crate) fn contend<S: Subject>(space: &S::Space, rounds: usize, file: &Path) {
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..rounds {
                let _guard = hold(space, KEY);
                enter(file);
                thread::yield_now();
                leave(file);
            }
        });
        pollster::block_on(async {
            for _ in 0..rounds {
                let _guard = hold_async(space, KEY).await;
                enter(file);
                yield_now().await;
                leave(file);
            }
        });
    });
}

/// Only one can make a file that isn't there.
fn enter(file: &Path) {
    let entered = OpenOptions::new().write(true).create_new(true).open(file);
    assert!(entered.is_ok(), "two were inside at once: {entered:?}");
}

fn leave(file: &Path) {
    fs::remove_file(file).expect("the file that was made");
}

/// Takes several keys together, again and again.
pub(crate) fn circle<S: Subject>(space: &S::Space, rounds: usize, keys: &[&str]) {
    for _ in 0..rounds {
        drop(hold_all(space, keys));
    }
}
