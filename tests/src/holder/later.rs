//! What the process does beside what it is told next.

use super::words::{milliseconds, refused, say, two};
use lockutils::{Error, FileLocks, set_deadlock_hook};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// How often those who wait for it were let go on.
static GONE_ON: Mutex<u64> = Mutex::new(0);
static GO: Condvar = Condvar::new();

/// Does it, and gives the answer, which is empty where it comes later.
pub(super) fn obey(locks: &FileLocks, command: &str, rest: &str) -> String {
    match command {
        "hook" => {
            set_deadlock_hook(|deadlock| {
                say(&format!("deadlock {deadlock}").replace('\n', " "));
            });
        }
        "go" => {
            *GONE_ON.lock().expect("no panic") += 1;
            GO.notify_all();
        }
        _ => {
            let (timeout, keys) = two(rest);
            let timeout = milliseconds(timeout);
            let (first, second) = two(keys);
            let keys = [first.to_owned(), second.to_owned()];
            let (locks, is_task) = (locks.clone(), command == "then_async");
            let gone_on = *GONE_ON.lock().expect("no panic");
            thread::spawn(move || {
                let held = if is_task {
                    pollster::block_on(both_async(&locks, keys, timeout, gone_on))
                } else {
                    both(&locks, keys, timeout, gone_on)
                };
                match held {
                    Ok(()) => say("second"),
                    Err(error) => say(&refused(&error)),
                }
            });
            return String::new();
        }
    }
    "done".to_owned()
}

fn wait_to_go_on(gone_on: u64) {
    say("first");
    let now = GONE_ON.lock().expect("no panic");
    drop(GO.wait_while(now, |now| *now == gone_on));
}

fn both(
    locks: &FileLocks,
    [first, second]: [String; 2],
    timeout: Duration,
    gone_on: u64,
) -> Result<(), Error> {
    let _first = locks.key(first).lock()?;
    wait_to_go_on(gone_on);
    let second = locks.key(second);
    if timeout.is_zero() {
        second.lock().map(drop)
    } else {
        second.lock_timeout(timeout).map(drop)
    }
}

async fn both_async(
    locks: &FileLocks,
    [first, second]: [String; 2],
    timeout: Duration,
    gone_on: u64,
) -> Result<(), Error> {
    let _first = locks.key(first).lock_async().await?;
    wait_to_go_on(gone_on);
    let second = locks.key(second);
    if timeout.is_zero() {
        second.lock_async().await.map(drop)
    } else {
        second.lock_timeout_async(timeout).await.map(drop)
    }
}
