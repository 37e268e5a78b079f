//! No two processes believe at a time that they hold a lock, whatever happens to them and to the
//! server; and later holds have greater fences.

use lockutils_conformance::Process;
use lockutils_etcd::EtcdLocks;
use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};
use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::{LEASE, LONG, child, locks, server};

const PROCESSES: usize = 4;

/// All processes of a host have one.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let parts = [(time.tv_sec, 1_000_000_000), (time.tv_nsec, 1)];
    parts
        .iter()
        .map(|(part, nanos)| u64::try_from(*part).unwrap() * nanos)
        .sum()
}

/// What a child does until it is killed: it notes when it held the lock, and until when it surely
/// believed to.
pub(crate) fn record(locks: &EtcdLocks, file: &str) -> ! {
    let mut file = File::options().append(true).open(file).unwrap();
    for turn in 0_u64.. {
        let Ok(guard) = locks.key("key").lock_timeout(LONG) else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let fence = guard.fence();
        let stays = Duration::from_millis(turn * 7 % 40);
        let begun = Instant::now();
        loop {
            let believed = now();
            if guard.is_lost() {
                break;
            }
            // One write for a line, so that lines of several processes don't mix.
            file.write_all(format!("{fence} {believed}\n").as_bytes())
                .unwrap();
            if begun.elapsed() > stays {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
    unreachable!("it is killed before")
}

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// For ten seconds, or as many as `LOCKUTILS_TEST_SECONDS` says.
#[test]
fn nobody_believes_what_another_does_under_random_kills() {
    let Some(server) = server() else { return };
    let seconds = env::var("LOCKUTILS_TEST_SECONDS").map_or(10, |text| text.parse().unwrap());
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let seed =
        env::var("LOCKUTILS_TEST_SEED").map_or(since.as_secs(), |text| text.parse().unwrap());
    println!("seed: {seed}");
    let mut chance = Chance(seed);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("intervals");
    File::create(&file).unwrap();
    let start = || {
        let mut child = child::start(&server.url());
        child.tell(&format!("record {}", file.display()));
        child
    };
    let mut children: Vec<Process> = (0..PROCESSES).map(|_| start()).collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        thread::sleep(Duration::from_millis(chance.below(400)));
        let at = usize::try_from(chance.below(4)).unwrap();
        let pause = LEASE.mul_f64(0.01 * f64::from(u32::try_from(chance.below(150)).unwrap()));
        match chance.below(6) {
            0 | 1 => children[at] = start(),
            2 | 3 => {
                child::signal(&children[at], Signal::STOP);
                thread::sleep(pause);
                child::signal(&children[at], Signal::CONT);
            }
            4 => {
                server.stop();
                thread::sleep(pause);
                server.go_on();
            }
            _ => {
                server.kill();
                server.restart();
            }
        }
    }
    drop(children);
    // Whoever is left behind ends with its lease.
    drop(locks(&server.url()).key("key").lock_timeout(LONG).unwrap());
    check(&fs::read_to_string(file).unwrap());
}

/// Each look is later than all of those with lesser fences.
fn check(text: &str) {
    let looks = text.lines().map(|line| {
        let (fence, at) = line.split_once(' ').unwrap();
        let number = |text: &str| text.parse::<u64>().unwrap();
        (number(at), number(fence))
    });
    let mut looks: Vec<_> = looks.collect();
    looks.sort_unstable();
    let mut fences: Vec<_> = looks.iter().map(|(_, fence)| *fence).collect();
    let found = fences.windows(2).find(|two| two[0] > two[1]);
    assert_eq!(
        found, None,
        "a fence after a greater one: two believed to hold the lock"
    );
    fences.dedup();
    println!("{} holds", fences.len());
    assert!(fences.len() > 10, "{} holds", fences.len());
}
