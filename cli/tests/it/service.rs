//! Processes that serve their locks, for tests of those who look at them.
//!
//! Such a process is this program once more, with [`serves`] as its only test.

use crate::lockutils;
use crate::pty::Terminal;
use lockutils::{AsyncGuard, FileLocks, Locks, inspect, named};
use lockutils_conformance::Process;
use lockutils_tests::Directory;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

static CELLS: Locks = Locks::new("cells");

/// A service, in a directory where the command finds it.
pub(crate) struct Service {
    pub(crate) process: Process,
    /// Where its socket is.
    pub(crate) socket: PathBuf,
}

impl Service {
    pub(crate) fn start(directory: &Path) -> Self {
        Self::start_by(Command::new(program()).env("XDG_RUNTIME_DIR", directory))
    }

    /// The same, by a command that is or begins with this [`program`].
    pub(crate) fn start_by(command: &mut Command) -> Self {
        command
            .args(["service::serves", "--exact", "--ignored", "--nocapture"])
            .env("LOCKUTILS_INSPECT", "1");
        let process = Process::start_marked(command, "> ");
        let socket = process.hear_of("serves at");
        Self {
            process,
            socket: socket.into(),
        }
    }

    pub(crate) fn id(&self) -> String {
        self.process.id().to_string()
    }

    /// Has it do something.
    pub(crate) fn have_it(&mut self, command: &str) {
        self.process.ask_for(command, "done");
    }
}

pub(crate) fn program() -> String {
    let program = std::env::current_exe().expect("it is there");
    program.to_string_lossy().into_owned()
}

/// The command, where it finds the services of this directory alone.
pub(crate) fn looking<'a>(
    directory: &Directory,
    args: impl IntoIterator<Item = &'a str>,
) -> Command {
    let mut command = lockutils(directory, args);
    command.env("XDG_RUNTIME_DIR", &**directory);
    command
}

/// The same at a terminal.
pub(crate) fn look<'a>(directory: &Directory, args: impl IntoIterator<Item = &'a str>) -> Terminal {
    Terminal::start(&looking(directory, args))
}

struct Calls;

impl Wake for Calls {
    fn wake(self: Arc<Self>) {}
}

/// A task that was polled, and its waker.
type Task = (Pin<Box<dyn Future<Output = AsyncGuard>>>, Waker);

/// What the service has going on.
#[derive(Default)]
struct State {
    threads: BTreeMap<String, Sender<()>>,
    tasks: Vec<Task>,
    start: Start,
}

/// Whether those go on who wait for it.
type Start = Arc<(Mutex<bool>, Condvar)>;

impl State {
    fn obey(&mut self, command: &str) {
        let words: Vec<_> = command.split(' ').collect();
        match words[..] {
            ["hold", key] | ["hold", key, "twice"] => {
                let end = hold(key.to_owned(), words.len() - 1);
                self.threads.insert(key.to_owned(), end);
            }
            // Again and again.
            ["try", key] => {
                let key = key.to_owned();
                thread::spawn(move || {
                    while CELLS.key(&key).try_lock().is_err() {
                        thread::sleep(Duration::from_millis(10));
                    }
                });
            }
            ["release", key] => drop(self.threads.remove(key)),
            ["wait", key, label] => {
                let future = named(label, CELLS.key(key).lock_async());
                self.poll(Box::pin(future));
            }
            // Holds the one, and waits for the other.
            ["wait", key, label, "holding", held] => {
                let [key, held] = [key, held].map(str::to_owned);
                let future = async move {
                    let _guard = CELLS.key(&held).lock_async().await;
                    CELLS.key(&key).lock_async().await
                };
                self.poll(Box::pin(named(label, future)));
            }
            ["deadlock", one, other] => {
                let take = |first: &'static str, second: &'static str| async move {
                    let _guard = CELLS.key(first).lock_async().await;
                    lockutils_tests::yield_now().await;
                    CELLS.key(second).lock_async().await
                };
                let [one, other] = [one, other].map(|key| &*String::leak(key.to_owned()));
                for (first, second) in [(one, other), (other, one)] {
                    self.poll(Box::pin(named(
                        format!("takes {first}"),
                        take(first, second),
                    )));
                }
                for (task, waker) in &mut self.tasks {
                    let _ = task.as_mut().poll(&mut Context::from_waker(waker));
                }
            }
            ["spin"] => {
                thread::spawn(|| {
                    loop {
                        std::hint::spin_loop();
                    }
                });
            }
            _ => self.obey_of_files(command, &words),
        }
    }

    fn obey_of_files(&mut self, command: &str, words: &[&str]) {
        match *words {
            ["file", key] => {
                let end = hold_files(command, vec![key.to_owned()], &self.start);
                self.threads.insert(key.to_owned(), end);
            }
            // Holds the one, and waits for the other from now on, or when all go on.
            ["file", key, "then", next] | ["hold", key, "first,", next, "next"] => {
                let start = Arc::new((Mutex::new(words[0] == "file"), Condvar::new()));
                let keys = vec![key.to_owned(), next.to_owned()];
                let end = hold_files(command, keys, &start);
                self.threads.insert(key.to_owned(), end);
                self.start = start;
            }
            ["go", "on"] => {
                *self.start.0.lock().unwrap() = true;
                self.start.1.notify_all();
            }
            _ => panic!("unknown: {command}"),
        }
    }

    fn poll(&mut self, future: Pin<Box<dyn Future<Output = AsyncGuard>>>) {
        let waker = Waker::from(Arc::new(Calls));
        self.tasks.push((future, waker));
        let (task, waker) = self.tasks.last_mut().expect("it is there");
        let _ = task.as_mut().poll(&mut Context::from_waker(waker));
    }
}

/// Has a thread hold a lock, so many times, until what this gives is dropped.
fn hold(key: String, times: usize) -> Sender<()> {
    let (end, is_end) = mpsc::channel::<()>();
    let (holds, held) = mpsc::channel();
    let builder = thread::Builder::new().name(format!("worker of {key}"));
    let body = move || {
        let take = |_| CELLS.key(&key).reentrant().lock();
        let _guards: Vec<_> = (0..times).map(take).collect();
        holds.send(()).expect("somebody listens");
        let _ = is_end.recv();
    };
    builder.spawn(body).expect("there are threads");
    held.recv().expect("it gets the lock");
    end
}

/// Has a thread hold the first lock file, and after the start the next one.
fn hold_files(name: &str, keys: Vec<String>, start: &Start) -> Sender<()> {
    let directory = std::env::var("XDG_RUNTIME_DIR").expect("it is set");
    let locks = FileLocks::new(Path::new(&directory).join("locks"));
    let (end, is_end) = mpsc::channel::<()>();
    let (holds, held) = mpsc::channel();
    let start = Arc::clone(start);
    let body = move || {
        let mut guards = Vec::new();
        for key in keys {
            guards.push(locks.key(key).lock().expect("nothing is wrong with it"));
            let _ = holds.send(());
            let (is_on, goes_on) = &*start;
            let is_on = is_on.lock().unwrap();
            let is_on = goes_on.wait_while(is_on, |is_on| !*is_on && guards.len() == 1);
            drop(is_on.unwrap());
        }
        let _ = is_end.recv();
    };
    let builder = thread::Builder::new().name(name.trim_start_matches("file ").to_owned());
    builder.spawn(body).expect("there are threads");
    held.recv().expect("it gets the lock");
    end
}

/// Serves, and does what it is told.
#[test]
#[ignore = "is run by other tests"]
fn serves() {
    let server = match std::env::var("FOR_GROUP") {
        Ok(group) => inspect::Builder::new().group(group).serve().unwrap(),
        Err(_) => inspect::from_env().unwrap().expect("it is to serve"),
    };
    println!("\n> serves at {}", server.path().display());
    let mut state = State::default();
    for line in io::stdin().lines().map_while(Result::ok) {
        state.obey(&line);
        println!("> done");
    }
}
