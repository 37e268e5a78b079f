//! PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use std::os::unix::process::CommandExt;

use crate::port::{self, BRIEF, exchange};
use crate::process::Guard;
use crate::program;
use crate::server::{Kind, Server};

/// A PostgreSQL server, with the superuser `postgres`, who needs no password.
pub type Postgres = Server<PostgresKind>;

/// How PostgreSQL is run.
#[derive(Debug)]
pub enum PostgresKind {}

impl Kind for PostgresKind {
    const NAME: &'static str = "PostgreSQL";

    fn installed() -> bool {
        programs().is_some()
    }

    fn prepare(data: &Path) {
        let (template, _) = &*TEMPLATE;
        run(Command::new("cp").arg("-a").arg(template).arg(data));
    }

    fn command(data: &Path, port: u16) -> Command {
        // What a killed server has left makes it look at whether that lives.
        let _ = fs::remove_file(data.join("postmaster.pid"));
        let mut command = program("postgres", data);
        command
            .arg("-D")
            .arg(data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            // A process that is killed has written already; there is no need to wait for the disk.
            .args(["-c", "unix_socket_directories=", "-c", "fsync=off"]);
        command
    }

    fn ready(port: u16) -> bool {
        let parameters = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
        let length = u32::try_from(4 + parameters.len()).expect("it is short");
        let request = [&length.to_be_bytes(), parameters.as_slice()].concat();
        // Else it is an error: the server is still starting, or is ending.
        exchange(port, &request, 1, BRIEF).is_some_and(|answer| answer == b"R")
    }

    fn url(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }
}

impl Postgres {
    /// Starts a standby, which follows this one.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn standby(&self) -> Self {
        let standby = Self::prepared(port::free(), Vec::new(), |data| {
            let (primary, parent) = (self.port().to_string(), data.parent().expect("it has"));
            program::give_away(parent);
            let mut copy = program("pg_basebackup", data);
            copy.args(["-h", "127.0.0.1", "-U", "postgres", "-R", "-X", "stream"]);
            copy.args(["-c", "fast", "--no-sync", "-p", &primary, "-D"]);
            run(copy.arg(data));
        });
        standby.restart();
        standby
    }

    /// Makes a standby the primary, and waits until it is.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn promote(&self) {
        let data = self.data();
        run(program("pg_ctl", &data)
            .args(["promote", "-w", "-D"])
            .arg(&data));
    }
}

/// What a new server's data are. To make them takes a second, to copy them doesn't.
static TEMPLATE: LazyLock<(PathBuf, Guard)> = LazyLock::new(|| {
    let directory = tempfile::Builder::new()
        .prefix("lockutils-postgres-")
        .tempdir()
        .expect("a temporary directory");
    program::give_away(directory.path());
    let data = directory.path().join("data");
    let mut make = program("initdb", &data);
    make.arg("-D").arg(&data).args(["-U", "postgres"]);
    make.args(["-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    run(make.arg("--wal-segsize=1"));
    // A static isn't dropped, so the guard removes it.
    let guard = Guard::new(None, &directory.keep());
    (data, guard)
});

/// Where the programs of the newest version are.
fn programs() -> Option<PathBuf> {
    if let Some(told) = std::env::var_os("LOCKUTILS_POSTGRES") {
        return Some(told.into());
    }
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let debian = versions
        .map(|folder| folder.path())
        .filter(|folder| folder.join("bin/postgres").is_file())
        .max_by_key(|folder| version(folder))
        .map(|folder| folder.join("bin"));
    debian.or_else(|| {
        program::find("LOCKUTILS_POSTGRES", "initdb")?
            .parent()
            .map(Path::to_owned)
    })
}

/// One of them, run by a user whom PostgreSQL doesn't refuse, in a directory that this user may enter.
fn program(name: &str, data: &Path) -> Command {
    let programs = programs().expect("it is installed");
    let mut command = Command::new(programs.join(name));
    command.current_dir(data.parent().expect("it has one"));
    if let Some((user, group)) = program::not_root() {
        command.uid(user).gid(group);
    }
    command
}

/// Runs it to its end.
fn run(command: &mut Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
