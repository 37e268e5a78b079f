//! What a process notes of its holds, for who compares them with those of others.

use std::fs::File;
use std::io::Write as _;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use lockutils_remote::{Remote, Store};
use rustix::time::{ClockId, clock_gettime};

use super::subject::KEY;

/// In nanoseconds; all processes of a host have one.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let parts = [(time.tv_sec, 1_000_000_000), (time.tv_nsec, 1)];
    let nanoseconds = parts.map(|(part, unit)| u64::try_from(part).unwrap() * unit);
    nanoseconds.iter().sum()
}

/// Holds the lock again and again until the process is killed, and notes when it surely believed to.
pub(crate) fn record(locks: &Remote<impl Store>, file: &str) -> ! {
    let mut file = File::options().append(true).open(file).unwrap();
    let process = process::id();
    for turn in 0_u64.. {
        // The server may be away for longer than anybody waits.
        let Ok(guard) = locks.key(KEY).lock() else {
            continue;
        };
        let fence = guard.fence();
        let stays = Duration::from_millis(turn * 7 % 40);
        let begun = Instant::now();
        loop {
            let moment = now();
            if guard.is_lost() {
                break;
            }
            // At once, so that no other's is in between.
            let line = format!("{process} {fence} {moment}\n");
            file.write_all(line.as_bytes()).unwrap();
            if begun.elapsed() > stays {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
    unreachable!("it is killed before")
}
