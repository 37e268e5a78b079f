//! What a process does that holds and awaits lock files as it is told.
//!
//! It answers each command on standard input with one line:
//!
//! | command | does | answers |
//! |---|---|---|
//! | `lock`, `shared`, `try`, `async KEY` | takes the lock of a key | `held NANOSECONDS`, or `error KIND TEXT` |
//! | `timeout`, `timeout_async MILLISECONDS KEY` | so, with a timeout | the same |
//! | `keys KEY ..` | takes several | the same |
//! | `release` | ends the latest hold | `released NANOSECONDS` |
//! | `stay COUNT MICROSECONDS KEY` | takes the lock so often, for so long | lines `in NANOSECONDS NANOSECONDS`, when it asked and when it had the lock, and `out NANOSECONDS` for each; `done` |
//! | `busy COUNT MICROSECONDS KEY` | takes the lock so often, and keeps the processor busy for so long with each | afterwards such lines `in`; `done` |
//! | `tries MILLISECONDS KEY` | tries to take the lock for so long, over and over | the same lines |
//! | `waits COUNT MICROSECONDS KEY` | takes the lock so often, so far apart, and each time some more, up to twice | `waited NANOSECONDS ..`, of each |
//! | `count COUNT FILE KEY` | so often adds one to the number in a file, under the lock | `done` |
//! | `inside COUNT FILE KEY` | so often makes a file and removes it, under the lock | `done`; ends if the file is there |
//! | `hog MILLISECONDS MICROSECONDS KEY` | takes the lock again and again for so long, and keeps the processor busy for so long with each | `done COUNT` |
//! | `remove KEY` | removes a lock file | `removed WHETHER`, or `error ..` |
//! | `sweep` | removes lock files | `removed COUNT`, and ` failed PATH ..` if some failed; or `error ..` |
//! | `start` | starts a program that outlives this one | `started PID` |
//! | `files COUNT` | may have so many files open from now on | `done` |
//! | `size BYTES` | may write files of that size from now on | `done` |
//! | `threads COUNT` | may have so many threads from now on, with all others of its user | `done`, or `more` if it may have more nevertheless |
//! | `keep COUNT` | keeps so many files open that it doesn't use | `done` |
//! | `where` | says where its space is, and whether it has locked one there | `where NAME held ..`, or `where NAME error ..` |
//! | `holder KEY` | says which process holds a lock | `holder PID`, or `holder nobody` |
//! | `crowd THREADS TASKS KEY` | has so many threads, and tasks, wait for a lock, and let go of it at once | `crowd` when all have been started |
//! | `hook` | says a line `deadlock TEXT` of each suspected one from now on | `done` |
//! | `then`, `then_async MILLISECONDS KEY NEXT` | has another thread or task take one lock and after the next `go` another one, for so long at most if it isn't 0; then both are released | `first`, and afterwards `second`, or `error ..` |
//! | `go` | lets those go on | `done` |
//! | `exec` | becomes another program, which does nothing | |
//! | `waiters KEY` | counts those who wait for a lock | `waiters COUNT` |
//! | `open` | counts its open files | `open COUNT` |
//!
//! The times are those of a clock that all processes share, taken just after a lock is
//! acquired and just before it is released. It ends when standard input does.

mod later;
mod words;

use crate::process::now;
use lockutils::{AsyncGuard, Error, ErrorKind, FileLocks, Guard, set_deadlock_hook};
use rlimit::Resource;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{hint, thread};
use words::{milliseconds, number, refused, say, three, two, with_source};

enum Hold {
    OfThread(#[expect(dead_code, reason = "it is held")] Guard),
    OfTask(#[expect(dead_code, reason = "it is held")] AsyncGuard),
}

/// Obeys the commands until there are no more.
///
/// # Panics
///
/// If a command is wrong.
pub fn obey(locks: &FileLocks) {
    let mut holds = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line.expect("commands are text");
        let answer = match answer(locks, &mut holds, &line) {
            Ok(answer) => answer,
            Err(error) => refused(&error),
        };
        if !answer.is_empty() {
            say(&answer);
        }
    }
}

fn answer(locks: &FileLocks, holds: &mut Vec<Hold>, line: &str) -> Result<String, Error> {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "lock" | "shared" | "try" | "async" | "timeout" | "timeout_async" | "keys" => {
            let hold = take(locks, command, rest)?;
            let taken = now();
            holds.push(hold);
            Ok(format!("held {taken}"))
        }
        "release" => {
            let released = now();
            holds.pop().expect("something is held");
            Ok(format!("released {released}"))
        }
        "stay" | "busy" | "tries" | "hog" | "waits" | "count" | "inside" | "crowd" => {
            work(locks, command, rest)
        }
        "in" => {
            let (directory, command) = two(rest);
            answer(&FileLocks::new(directory), holds, command)
        }
        "remove" => Ok(format!("removed {}", locks.remove(rest)?)),
        "sweep" => sweep(locks),
        "start" => {
            let mut sleep = Command::new("sleep");
            sleep.arg("1000").stdin(Stdio::null()).stdout(Stdio::null());
            Ok(format!("started {}", sleep.spawn().expect("sleep").id()))
        }
        "exec" => {
            use std::os::unix::process::CommandExt as _;
            let error = Command::new("sleep").arg("1000").exec();
            panic!("no program is run: {error}");
        }
        "hook" | "go" | "then" | "then_async" => Ok(later::obey(locks, command, rest)),
        "files" | "size" | "threads" => Ok(limit(command, number(rest)).to_owned()),
        "keep" => {
            FileLocks::keep_open(usize::try_from(number(rest)).expect("a small number"));
            Ok("done".to_owned())
        }
        _ => tell(locks, command, rest),
    }
}

/// Takes a lock, in one of the ways.
fn take(locks: &FileLocks, way: &str, rest: &str) -> Result<Hold, Error> {
    Ok(match way {
        "lock" => Hold::OfThread(locks.key(rest).lock()?),
        "shared" => Hold::OfThread(locks.key(rest).shared().lock()?),
        "try" => Hold::OfThread(locks.key(rest).try_lock()?),
        "async" => Hold::OfTask(pollster::block_on(locks.key(rest).lock_async())?),
        "timeout" => {
            let (timeout, key) = two(rest);
            Hold::OfThread(locks.key(key).lock_timeout(milliseconds(timeout))?)
        }
        "timeout_async" => {
            let (timeout, key) = two(rest);
            let wait = locks.key(key).lock_timeout_async(milliseconds(timeout));
            Hold::OfTask(pollster::block_on(wait)?)
        }
        "keys" => Hold::OfThread(locks.keys(rest.split(' ')).lock()?),
        _ => panic!("unknown way {way:?}"),
    })
}

/// Takes a lock over and over, and says what came of it.
fn work(locks: &FileLocks, command: &str, rest: &str) -> Result<String, Error> {
    match command {
        "stay" => {
            let (count, time, key) = three(rest);
            stay(locks, count, time, key)
        }
        "busy" => {
            let (count, time, key) = three(rest);
            busy(locks, count, time, key)
        }
        "tries" => {
            let (time, key) = two(rest);
            tries(locks, milliseconds(time), key)
        }
        "hog" => {
            let (time, each, key) = three(rest);
            let count = hog(locks, Duration::from_millis(time), each, key)?;
            Ok(format!("done {count}"))
        }
        "waits" => {
            let (count, apart, key) = three(rest);
            let count = u32::try_from(count).expect("a small number");
            let waits = waits(locks, count, apart, key)?;
            Ok(format!("waited{waits}"))
        }
        "count" | "inside" => {
            let (count, rest) = two(rest);
            let (file, key) = two(rest);
            let work = if command == "count" { add_one } else { enter };
            for _ in 0..number(count) {
                let _guard = locks.key(key).lock()?;
                work(Path::new(file));
            }
            Ok("done".to_owned())
        }
        "crowd" => {
            let (threads, rest) = two(rest);
            let (tasks, key) = two(rest);
            crowd(locks, number(threads), number(tasks), key);
            Ok("crowd".to_owned())
        }
        _ => panic!("unknown work {command:?}"),
    }
}

/// What there is to see.
fn tell(locks: &FileLocks, command: &str, rest: &str) -> Result<String, Error> {
    match command {
        "where" => {
            let held = locks.key("where").lock();
            let held = match held {
                Ok(_guard) => "held".to_owned(),
                Err(error) => format!("error {}", with_source(&error)),
            };
            Ok(format!("where {} {held}", locks.name()))
        }
        "holder" => {
            let holder = locks.key(rest).holder()?;
            let pid = holder.and_then(|holder| holder.pid());
            let pid = pid.map_or_else(|| "nobody".to_owned(), |pid| pid.to_string());
            Ok(format!("holder {pid}"))
        }
        "waiters" => {
            let held = locks.states()?;
            let state = held.iter().find(|state| state.key.as_str() == rest);
            let waiters = state.map_or(0, |state| state.waiters);
            Ok(format!("waiters {waiters}"))
        }
        "open" => {
            let open = fs::read_dir("/proc/self/fd").expect("the process's own files");
            Ok(format!("open {}", open.count()))
        }
        _ => panic!("unknown command {command:?}"),
    }
}

fn limit(what: &str, most: u64) -> &'static str {
    let resource = match what {
        "files" => Resource::NOFILE,
        "size" => Resource::FSIZE,
        _ => Resource::NPROC,
    };
    if what == "size" {
        // What is suspected on a busy machine goes to standard error, which may be a longer file: that would kill it.
        set_deadlock_hook(|_| {});
    }
    resource.set(most, most).expect("limits can be lowered");
    // Root, and a user with its capabilities, may have more threads than the limit.
    let another = || thread::Builder::new().spawn(|| ());
    if what == "threads" && another().is_ok() {
        "more"
    } else {
        "done"
    }
}

fn sweep(locks: &FileLocks) -> Result<String, Error> {
    let swept = locks.sweep()?;
    let mut answer = format!("removed {}", swept.removed.len());
    if !swept.failed.is_empty() {
        let paths = swept.failed.iter().map(|error| error.path().expect("one"));
        let mut paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
        paths.sort();
        write!(answer, " failed {}", paths.join(" ")).expect("a string takes all");
    }
    Ok(answer)
}

/// Each task has an executor of its own, as it has a thread.
fn crowd(locks: &FileLocks, threads: u64, tasks: u64, key: &str) {
    for index in 0..threads + tasks {
        let (locks, key) = (locks.clone(), key.to_owned());
        thread::spawn(move || {
            let handle = locks.key(key);
            let is_thread = index < threads;
            let held = if is_thread {
                handle.lock().map(drop)
            } else {
                pollster::block_on(handle.lock_async()).map(drop)
            };
            held.expect("nothing is wrong with the file");
        });
    }
}

fn tries(locks: &FileLocks, time: Duration, key: &str) -> Result<String, Error> {
    let start = Instant::now();
    while start.elapsed() < time {
        let asked = now();
        match locks.key(key).try_lock() {
            Ok(_guard) => {
                say(&format!("in {asked} {}", now()));
                say(&format!("out {}", now()));
            }
            Err(error) if error.kind() == ErrorKind::Busy => {}
            Err(error) => return Err(error),
        }
    }
    Ok("done".to_owned())
}

fn stay(locks: &FileLocks, count: u64, time: Duration, key: &str) -> Result<String, Error> {
    for _ in 0..count {
        let asked = now();
        let guard = locks.key(key).lock()?;
        say(&format!("in {asked} {}", now()));
        if !time.is_zero() {
            thread::sleep(time);
        }
        say(&format!("out {}", now()));
        drop(guard);
    }
    Ok("done".to_owned())
}

/// Tells nothing before it is done: that would give others time between two holds.
fn busy(locks: &FileLocks, count: u64, time: Duration, key: &str) -> Result<String, Error> {
    let mut times = Vec::new();
    for _ in 0..count {
        let asked = now();
        let _guard = locks.key(key).lock()?;
        times.push((asked, now()));
        keep_busy(time);
    }
    for (asked, taken) in times {
        say(&format!("in {asked} {taken}"));
    }
    Ok("done".to_owned())
}

fn keep_busy(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        hint::spin_loop();
    }
}

fn hog(locks: &FileLocks, time: Duration, each: Duration, key: &str) -> Result<u64, Error> {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < time {
        let _guard = locks.key(key).lock()?;
        keep_busy(each);
        count += 1;
    }
    Ok(count)
}

/// The nanoseconds of each wait.
fn waits(locks: &FileLocks, count: u32, apart: Duration, key: &str) -> Result<String, Error> {
    let mut waits = String::new();
    for index in 0..count {
        // Not in step with anything else that goes on.
        thread::sleep(apart + apart * index / count);
        let start = Instant::now();
        let guard = locks.key(key).lock()?;
        write!(waits, " {}", start.elapsed().as_nanos()).expect("a string takes all");
        drop(guard);
    }
    Ok(waits)
}

fn add_one(file: &Path) {
    let text = fs::read_to_string(file).expect("the file of the number");
    let number = number(text.trim()) + 1;
    fs::write(file, number.to_string()).expect("the file of the number");
}

/// Only one can make a file that isn't there.
fn enter(file: &Path) {
    let entered = OpenOptions::new().write(true).create_new(true).open(file);
    assert!(entered.is_ok(), "two were inside at once: {entered:?}");
    fs::remove_file(file).expect("the file just made");
}
