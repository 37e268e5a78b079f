//! `PgBouncer`.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::port;
use crate::postgres::{Postgres, PostgresKind};
use crate::program;
use crate::server::{Kind, Server};

/// A pooler before a [`Postgres`].
pub type PgBouncer = Server<PgBouncerKind>;

/// How `PgBouncer` is run.
#[derive(Debug)]
pub enum PgBouncerKind {}

impl Kind for PgBouncerKind {
    const NAME: &'static str = "PgBouncer";

    fn installed() -> bool {
        program::find("LOCKUTILS_PGBOUNCER", "pgbouncer").is_some()
    }

    fn prepare(data: &Path) {
        panic!("{} has no server behind it", data.display());
    }

    fn command(data: &Path, _: u16) -> Command {
        let program = program::find("LOCKUTILS_PGBOUNCER", "pgbouncer").expect("it is installed");
        let mut command = Command::new(program);
        if let Some((user, group)) = program::not_root() {
            command.uid(user).gid(group);
        }
        command.arg(data);
        command
    }

    fn ready(port: u16) -> bool {
        PostgresKind::ready(port)
    }

    fn url(port: u16) -> String {
        PostgresKind::url(port)
    }
}

impl PgBouncer {
    /// Starts one before this server, with the mode of its pool: `transaction`, `session`.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn to(server: &Postgres, mode: &str) -> Self {
        Self::with_settings(server, mode, "")
    }

    /// The same with more settings, a line each.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn with_settings(server: &Postgres, mode: &str, lines: &str) -> Self {
        let port = port::free();
        let pooler = Self::prepared(port, Vec::new(), |data| {
            let behind = server.port();
            let settings = format!(
                "[databases]\n* = host=127.0.0.1 port={behind} user=postgres\n\
                 [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
                 auth_type = any\npool_mode = {mode}\n\
                 ignore_startup_parameters = extra_float_digits,options\n{lines}\n"
            );
            fs::write(data, settings).expect("the directory can be written");
        });
        pooler.restart();
        pooler
    }
}
