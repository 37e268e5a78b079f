//! Another process with the same locks: the test's own program once more, told what to do line by
//! line.
//!
//! | command | does | answers |
//! |---|---|---|
//! | `hold KEY` | takes a lock | `asks`, and `held FENCE` when it has it |
//! | `state` | looks at the latest hold | `valid` or `lost` |
//! | `release` | releases it | `released` or `lost` |
//! | `contend FILE` | see [`contend`](crate::contend) | |

use std::env;
use std::io::{self, BufRead as _, Write as _};
use std::process::Command;
use std::time::Duration;

use lockutils_conformance::Process;
use lockutils_postgres::PostgresLocks;

const MARK: &str = "lockutils-postgres: ";
const URL: &str = "LOCKUTILS_POSTGRES_URL";
const TTL: &str = "LOCKUTILS_POSTGRES_TTL";

/// Starts one.
pub(crate) fn start(url: &str, ttl: Duration) -> Process {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["other::obey", "--exact", "--nocapture", "--ignored"]);
    command.env(URL, url);
    command.env(TTL, ttl.as_millis().to_string());
    Process::start_marked(&mut command, MARK)
}

/// What it does.
#[test]
#[ignore = "it is the other process of tests"]
fn obey() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let ttl = env::var(TTL).unwrap().parse().unwrap();
    let locks = PostgresLocks::new(&url).unwrap();
    let locks = locks.ttl(Duration::from_millis(ttl));
    let mut guards = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("hold", key) => {
                say("asks");
                let guard = locks.key(key).lock().unwrap();
                say(&format!("held {}", guard.fence()));
                guards.push(guard);
            }
            ("state", _) => {
                let guard = guards.last().unwrap();
                say(if guard.is_lost() { "lost" } else { "valid" });
            }
            ("release", _) => {
                let released = guards.pop().unwrap().release();
                say(if released.is_ok() { "released" } else { "lost" });
            }
            ("contend", file) => crate::contend::contend(&locks, file.as_ref()),
            _ => panic!("{line}"),
        }
    }
}

fn say(answer: &str) {
    let mut output = io::stdout().lock();
    // The harness may have begun a line.
    writeln!(output, "\n{MARK}{answer}").unwrap();
    output.flush().unwrap();
}
