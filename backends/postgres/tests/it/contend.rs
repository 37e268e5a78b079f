//! Processes that hold locks one after the other, and are killed at random.
//!
//! Each writes down what it holds, into one file that all append to, so that the lines are in the order
//! in which things came about:
//!
//! | line | means |
//! |---|---|
//! | `B PID KEY FENCE` | it has just got the lock |
//! | `E PID KEY FENCE` | it has it still, and releases it now |
//! | `L PID KEY FENCE` | it has lost it meanwhile |
//! | `K PID 0 0` | it is to be killed |

use std::collections::{HashMap, HashSet};
use std::env;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write as _;
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use lockutils_conformance::{Process, eventually};
use lockutils_postgres::PostgresLocks;
use lockutils_servers::Postgres;

use crate::other;

const KEYS: u64 = 2;
const PROCESSES: u64 = 4;

/// Holds locks until it is killed, or its standard input ends.
pub(crate) fn contend(locks: &PostgresLocks, file: &Path) {
    let pid = process::id();
    loop {
        let key = random() % KEYS;
        // The server may be gone for longer than anybody waits.
        let Ok(guard) = locks.key(key).lock() else {
            continue;
        };
        let fence = guard.fence();
        write(file, &format!("B {pid} {key} {fence}"));
        thread::sleep(Duration::from_micros(random() % 3000));
        let kind = if guard.is_lost() { 'L' } else { 'E' };
        write(file, &format!("{kind} {pid} {key} {fence}"));
        drop(guard);
    }
}

#[test]
fn processes_that_are_killed_at_random_exclude_each_other() {
    if !Postgres::available() {
        return;
    }
    let seconds = env::var("LOCKUTILS_POSTGRES_SECONDS").ok();
    let seconds = seconds.map_or(10, |seconds| seconds.parse().unwrap());
    let server = Postgres::start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("holds");
    let start = || {
        let mut process = other::start(&server.url(), Duration::from_secs(2));
        process.tell(&format!("contend {}", file.display()));
        process
    };
    let mut processes: Vec<Process> = (0..PROCESSES).map(|_| start()).collect();
    let begun = Instant::now();
    let (mut kills, mut restarted) = (0, false);
    while begun.elapsed() < Duration::from_secs(seconds) {
        thread::sleep(Duration::from_millis(100 + random() % 300));
        if !restarted && begun.elapsed() > Duration::from_secs(seconds / 2) {
            server.restart();
            restarted = true;
        }
        let at = usize::try_from(random() % PROCESSES).unwrap();
        write(&file, &format!("K {} 0 0", processes[at].id()));
        processes[at].kill();
        processes[at] = start();
        kills += 1;
    }
    // All of them go on, after all that.
    let written = fs::read_to_string(&file).unwrap().len();
    for process in &processes {
        let line = format!("B {} ", process.id());
        eventually("each has a lock", || {
            fs::read_to_string(&file).unwrap()[written..].contains(&line)
        });
    }
    for process in &mut processes {
        write(&file, &format!("K {} 0 0", process.id()));
        process.kill();
    }
    let holds = check(&fs::read_to_string(&file).unwrap());
    eprintln!("{holds} holds, {kills} kills");
    assert!(holds > 100, "{holds}");
}

/// That no two had a lock at once, and that fences rise. How many holds there were.
fn check(lines: &str) -> usize {
    let (mut killed, mut holds) = (HashSet::new(), 0);
    // Who has begun last, with what fence.
    let mut latest: HashMap<&str, (&str, u64)> = HashMap::new();
    for line in lines.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, pid, key, fence] = words[..] else {
            panic!("{line}");
        };
        let fence: u64 = fence.parse().unwrap();
        match kind {
            "B" => {
                holds += 1;
                let before = latest.insert(key, (pid, fence));
                assert!(
                    before.is_none_or(|(_, before)| before < fence),
                    "{line}, after {before:?}"
                );
            }
            // Nobody may have begun in between, unless this one was dying.
            "E" => {
                let (by, begun) = latest[key];
                assert!(
                    begun == fence || killed.contains(pid),
                    "{line}, with {by} inside"
                );
            }
            "K" => _ = killed.insert(pid),
            _ => {}
        }
    }
    holds
}

fn write(file: &Path, line: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .unwrap();
    // At once, so that no other's is in between.
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[test]
fn two_inside_are_found() {
    assert_eq!(check("B 1 a 1\nE 1 a 1\nB 2 a 2\nB 1 b 3\nE 2 a 2\n"), 3);
    assert_eq!(check("B 1 a 1\nK 1 0 0\nB 2 a 2\nE 1 a 1\nE 2 a 2\n"), 2);
    for wrong in ["B 1 a 1\nB 2 a 2\nE 1 a 1\n", "B 1 a 2\nE 1 a 2\nB 2 a 2\n"] {
        assert!(std::panic::catch_unwind(|| check(wrong)).is_err());
    }
}
