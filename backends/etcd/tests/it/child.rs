//! Another process, which is this program again, and has a space of its own.

use lockutils::LeaseGuard;
use lockutils_conformance::Process;
use lockutils_etcd::EtcdLocks;
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::io::{BufRead as _, stdin};
use std::process::Command;

use crate::{LEASE, intervals, locks};

/// The URL, for a child.
const URL: &str = "LOCKUTILS_TEST_URL";

/// Starts one.
pub(crate) fn start(url: &str) -> Process {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["child::obeys", "--exact", "--nocapture"])
        .env(URL, url);
    Process::start_marked(&mut command, "> ")
}

pub(crate) fn signal(process: &Process, signal: Signal) {
    let id = Pid::from_raw(process.id().try_into().unwrap()).unwrap();
    kill_process(id, signal).unwrap();
}

/// Does as it is told, where it is a child.
#[test]
fn obeys() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let locks = locks(&url).ttl(LEASE);
    let mut guard = None;
    for line in stdin().lock().lines() {
        let line = line.unwrap();
        let answer = match line.split_once(' ') {
            Some(("lock", key)) => lock(&locks, key, &mut guard),
            Some(("record", file)) => intervals::record(&locks, file),
            None if line == "release" => match guard.take().map(LeaseGuard::release) {
                Some(Ok(())) => "released".to_owned(),
                other => format!("{other:?}"),
            },
            None if line == "lost?" => format!("{:?}", guard.as_ref().map(LeaseGuard::is_lost)),
            _ => panic!("{line}"),
        };
        println!("\n> {answer}");
    }
}

fn lock(locks: &EtcdLocks, key: &str, guard: &mut Option<LeaseGuard>) -> String {
    println!("\n> asks");
    match locks.key(key).lock() {
        Ok(locked) => {
            let fence = locked.fence();
            *guard = Some(locked);
            format!("locked {fence}")
        }
        Err(error) => error.to_string(),
    }
}
