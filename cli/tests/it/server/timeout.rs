//! A server that is down, or silent: how long `run` waits for it.

use super::{fails, holding, on};
use crate::done;
use crate::pty::Terminal;
use lockutils_servers::Redis;
use lockutils_tests::Directory;
use std::thread;

/// It may be silent for longer than the test may take.
#[test]
fn server_that_is_not_there_is_waited_for_no_longer_than_the_timeout() {
    let directory = Directory::new();
    thread::scope(|scope| {
        for scheme in ["redis", "postgres", "etcd"] {
            let url = format!("{scheme}://user:hunter2@127.0.0.1:1");
            let args = ["run", "--timeout", "5s", "-E", "0", "key", "--", "true"];
            let mut command = on(&directory, &url, &args);
            scope.spawn(move || {
                let done = done(&mut command);
                fails(&done, 69, "lockutils: timed out after ");
                assert!(
                    done.err.contains("its server can't be asked: "),
                    "{}",
                    done.err
                );
                assert!(done.err.contains("127.0.0.1:1"), "{}", done.err);
                assert!(!done.err.contains("hunter2"), "{}", done.err);
            });
        }
    });
}

/// It is asked by several for one lock, and answers none.
#[test]
fn server_that_is_silent_is_waited_for_no_longer_than_is_said() {
    if !Redis::available() {
        return;
    }
    let (directory, redis) = (Directory::new(), Redis::start());
    let url = redis.url();
    redis.stop();
    thread::scope(|scope| {
        let brief = ["--answer-timeout", "1s"];
        let silent = "has not answered for 1s; see";
        for (args, text) in [
            ([&brief[..], &["--nonblock"]].concat(), silent),
            ([&brief[..], &["--timeout", "0"]].concat(), silent),
            (brief.to_vec(), silent),
            (
                vec!["--timeout", "300ms"],
                "has not said yet whether it is free",
            ),
        ] {
            let args = [&["run"], &args[..], &["key", "--", "true"]].concat();
            let mut command = on(&directory, &url, &args);
            scope.spawn(move || fails(&done(&mut command), 69, text));
        }
    });
}

/// The lines of a terminal, too, ask who has the lock.
#[test]
fn server_that_falls_silent_is_waited_for_no_longer_than_the_timeout() {
    if !Redis::available() {
        return;
    }
    let (directory, redis) = (Directory::new(), Redis::start());
    let url = redis.url();
    let _holder = holding(&directory, &url, &["key"]);
    let args = ["run", "--timeout", "8s", "key", "--", "true"];
    let mut terminal = Terminal::start(&on(&directory, &url, &args));
    terminal.until_it_has("held by process ");
    // It has asked for the lock once more, and may have no answer to that.
    redis.stop();
    terminal.until_it_has("timed out after 8s waiting for lock");
    assert_eq!(terminal.end().0, 75);
}
