//! Locks of a server that are lost, and what becomes of the command.

use super::{each, on, tell};
use crate::{code, until_its_state_is};
use lockutils_servers::{EtcdKind, Kind, PostgresKind, Redis, RedisKind, Server};
use lockutils_tests::{Directory, Process, eventually};
use rustix::process::Signal;
use std::path::Path;
use std::thread;

/// Whose lock nobody renews any more.
#[test]
fn command_of_one_that_is_killed_is_ended() {
    each(|url| {
        let directory = Directory::new();
        let script = "trap 'echo ended > $LOCKUTILS_DIR/ended; exit' TERM
                      echo $$ > $LOCKUTILS_DIR/pid; echo held; while :; do sleep 0.01; done";
        let args = ["run", "key", "--", "sh", "-c", script];
        let mut holder = Process::start(&mut on(&directory, url, &args));
        holder.hear_of("held");
        holder.kill();
        eventually("it is told", || directory.join("ended").exists());
        another_has_it(&directory, url);
    });
}

/// Waits until another process has had the lock.
fn another_has_it(directory: &Path, url: &str) {
    let args = ["run", "key", "--", "true"];
    assert_eq!(code(&mut on(directory, url, &args)), 0);
}

/// What says that it was told, and takes its time. Its lease is one that a busy machine can renew, else it
/// would be lost before there is a trap.
const LISTENS: &str = "trap 'echo told; exit 3' TERM; echo held; while :; do sleep 0.01; done";

#[test]
fn command_is_told_that_the_lock_is_lost() {
    fn check<K: Kind>(fail: fn(&Server<K>)) {
        if !Server::<K>::available() {
            return;
        }
        let (directory, server) = (Directory::new(), Server::<K>::start());
        let args = ["run", "key", "--", "sh", "-c", LISTENS];
        let mut process = Process::start(&mut on(&directory, &server.url(), &args));
        process.hear_of("held");
        fail(&server);
        process.hear_of("told");
        assert_eq!(process.end().code(), Some(76));
    }
    thread::scope(|scope| {
        for check in [
            || check::<RedisKind>(Server::stop),
            || check::<RedisKind>(Server::kill),
            || check::<PostgresKind>(Server::stop),
            || check::<PostgresKind>(Server::kill),
            || check::<EtcdKind>(Server::stop),
            || check::<EtcdKind>(Server::kill),
        ] {
            scope.spawn(check);
        }
    });
}

/// Somebody else has the lock meanwhile, and the command learns of it as soon as anybody can tell it.
#[test]
fn command_of_one_that_was_stopped_is_told_when_that_goes_on() {
    each(|url| {
        let directory = Directory::new();
        let args = ["run", "key", "--", "sh", "-c", LISTENS];
        let mut process = Process::start(&mut on(&directory, url, &args));
        process.hear_of("held");
        process.stop();
        another_has_it(&directory, url);
        process.signal(Signal::CONT);
        process.hear_of("told");
        assert_eq!(process.end().code(), Some(76));
    });
}

#[test]
fn command_that_does_not_listen_is_killed() {
    if !Redis::available() {
        return;
    }
    let (directory, redis) = (Directory::new(), Redis::start());
    // As one that is stopped doesn't either.
    for (script, state) in [
        ("trap '' TERM; echo held; read line", b'S'),
        ("echo held; kill -STOP $$", b'T'),
    ] {
        let script = format!("echo $$ > $LOCKUTILS_DIR/pid; {script}");
        let args = [
            "run",
            "--ttl=600s",
            "--grace=50ms",
            "key",
            "--",
            "sh",
            "-c",
            &script,
        ];
        let mut process = Process::start(&mut on(&directory, &redis.url(), &args));
        process.hear_of("held");
        until_its_state_is(state, &directory);
        tell(&redis, "FLUSHALL");
        assert_eq!(process.end().code(), Some(76));
    }
}

/// Its own end, and not that of the lock, is what came first. Nor is an answer of the server waited for that may take
/// longer than a test.
#[test]
fn command_that_ended_under_the_lock_has_its_status() {
    if !Redis::available() {
        return;
    }
    for answer_timeout in ["1s", "24h"] {
        let (directory, redis) = (Directory::new(), Redis::start());
        let script = "echo held; read line; exit 4";
        let args = [
            "run",
            "--ttl=48h",
            "--answer-timeout",
            answer_timeout,
            "key",
            "--",
            "sh",
            "-c",
            script,
        ];
        let mut process = Process::start(&mut on(&directory, &redis.url(), &args));
        process.hear_of("held");
        redis.kill();
        process.tell("");
        assert_eq!(process.end().code(), Some(4));
    }
}
