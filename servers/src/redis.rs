//! Redis, or Valkey.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::port::{BRIEF, exchange};
use crate::program;
use crate::server::{Kind, Server};

/// A Redis server. It writes each command to its disk, so that its data survive a kill.
pub type Redis = Server<RedisKind>;

/// How Redis is run.
#[derive(Debug)]
pub enum RedisKind {}

impl Kind for RedisKind {
    const NAME: &'static str = "Redis";

    fn installed() -> bool {
        program::find("LOCKUTILS_REDIS", "redis-server").is_some()
    }

    fn prepare(data: &Path) {
        fs::create_dir(data).expect("the directory can be written");
    }

    fn command(data: &Path, port: u16) -> Command {
        let program = program::find("LOCKUTILS_REDIS", "redis-server").expect("it is installed");
        let mut command = Command::new(program);
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
            .arg(data)
            .args(["--save", "", "--appendonly", "yes"])
            // A process that is killed has written already; there is no need to wait for the disk.
            .args(["--appendfsync", "no"]);
        command
    }

    fn ready(port: u16) -> bool {
        exchange(port, b"PING\r\n", 7, BRIEF).is_some_and(|answer| answer == b"+PONG\r\n")
    }

    fn url(port: u16) -> String {
        format!("redis://127.0.0.1:{port}")
    }
}
