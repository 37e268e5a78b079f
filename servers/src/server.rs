//! A server of any kind.

use std::env;
use std::fmt;
use std::fs;
use std::marker::PhantomData;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::port;
use crate::process::Process;

/// The machine may be busy.
const START: Duration = Duration::from_secs(60);

/// What is special to a server.
pub trait Kind {
    /// What people call it.
    const NAME: &'static str;

    /// Whether it is installed.
    fn installed() -> bool;

    /// Makes its data, in a directory that isn't there yet.
    fn prepare(data: &Path);

    /// How it is run. The last of the arguments are the caller's.
    fn command(data: &Path, port: u16) -> Command;

    /// Whether the server at this port is ready for everything.
    fn ready(port: u16) -> bool;

    /// The URL of the server at this port.
    fn url(port: u16) -> String;
}

/// A running server, which ends with the value.
pub struct Server<K> {
    port: u16,
    directory: TempDir,
    more: Vec<String>,
    process: Mutex<Option<Process>>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Server<K> {
    /// Whether it is installed; says on standard error that the test is skipped if not.
    ///
    /// # Panics
    ///
    /// If it isn't, and the variable `LOCKUTILS_SERVERS` is `required`.
    #[must_use]
    pub fn available() -> bool {
        let installed = K::installed();
        if !installed {
            let required = env::var_os("LOCKUTILS_SERVERS").is_some_and(|set| set == "required");
            assert!(
                !required,
                "{} is not installed, and is required to be",
                K::NAME
            );
            eprintln!("skipped: {} is not installed", K::NAME);
        }
        installed
    }

    /// Starts one, and waits until it answers.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with more arguments.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn with(more: &[&str]) -> Self {
        let more = more
            .iter()
            .map(|argument| (*argument).to_owned())
            .collect::<Vec<_>>();
        // Somebody may have got the port meanwhile.
        for _ in 0..3 {
            let server = Self::prepared(port::free(), more.clone(), K::prepare);
            server.spawn();
            if server.becomes_ready() {
                return server;
            }
            eprintln!("{} ended at its start:\n{}", K::NAME, server.log());
        }
        panic!("{} can't be started", K::NAME);
    }

    /// One that isn't started yet.
    pub(crate) fn prepared(port: u16, more: Vec<String>, prepare: impl FnOnce(&Path)) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("lockutils-server-")
            .tempdir()
            .expect("a temporary directory");
        // The server may be run by another user.
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(directory.path(), all).expect("its owner may do that");
        let server = Self {
            port,
            directory,
            more,
            process: Mutex::new(None),
            kind: PhantomData,
        };
        prepare(&server.data());
        server
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn spawn(&self) {
        let mut command = K::command(&self.data(), self.port);
        command.args(&self.more);
        let mut process = self.process();
        assert!(process.is_none(), "{} runs already", K::NAME);
        *process = Some(Process::spawn(command, self.directory.path()));
    }

    /// Waits until it answers, or has ended.
    ///
    /// # Panics
    ///
    /// If it does neither.
    fn becomes_ready(&self) -> bool {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            let lives =
                |process: &mut Option<Process>| process.as_mut().is_some_and(Process::lives);
            // It has to live after the answer, else that was another's.
            if K::ready(self.port) && lives(&mut self.process()) {
                return true;
            }
            if !lives(&mut self.process()) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{} doesn't answer:\n{}", K::NAME, self.log());
    }

    /// Its URL, as a space takes it.
    #[must_use]
    pub fn url(&self) -> String {
        K::url(self.port)
    }

    /// Its port of 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its data are.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    /// What it has written.
    ///
    /// # Panics
    ///
    /// If that can't be read.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(self.directory.path().join("log")).expect("it was started");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Ends all its processes by SIGKILL, and waits until they are gone. Its data stay. Does nothing
    /// if it is dead.
    pub fn kill(&self) {
        if let Some(process) = self.process().take() {
            process.kill();
        }
    }

    /// Stops all its processes by SIGSTOP, and waits until they are: it keeps its connections, and says nothing.
    ///
    /// # Panics
    ///
    /// If it is dead.
    pub fn stop(&self) {
        self.running(Process::stop);
    }

    /// Lets all its processes go on by SIGCONT.
    ///
    /// # Panics
    ///
    /// If it is dead.
    pub fn go_on(&self) {
        self.running(|process| process.signal(Signal::CONT));
    }

    fn running(&self, tell: impl FnOnce(&Process)) {
        let process = self.process();
        tell(process.as_ref().expect("the server was killed"));
    }

    /// Kills it if it lives, starts it again with the same data at the same port, and waits until it
    /// answers.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    pub fn restart(&self) {
        self.kill();
        self.spawn();
        assert!(
            self.becomes_ready(),
            "{} can't be restarted:\n{}",
            K::NAME,
            self.log()
        );
    }

    /// As [`restart`](Self::restart), but without any of its data.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    pub fn restart_empty(&self) {
        self.kill();
        fs::remove_dir_all(self.data()).expect("the server is dead");
        K::prepare(&self.data());
        self.restart();
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Drop for Server<K> {
    fn drop(&mut self) {
        let process = self
            .process
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = process.take() {
            process.kill();
        }
    }
}

impl<K: Kind> fmt::Debug for Server<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(K::NAME)
            .field("port", &self.port)
            .field("directory", &self.directory.path())
            .finish_non_exhaustive()
    }
}
