//! Processes that hold one lock after the other, while faults come at random.
//!
//! Each notes the moments at which it believed to hold it, with the fence. Those of a later hold come
//! after all those of the holds before, else two have believed at once.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use lockutils_conformance::eventually;

use crate::faults::other::Other;
use crate::faults::record::now;
use crate::faults::subject::Subject;
use crate::faults::test::Test;

/// The shortest that every server gives: it may be lost.
const LEASE: Duration = Duration::from_secs(2);

const PROCESSES: usize = 4;

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

    fn pause(&mut self, longest: Duration) -> Duration {
        let longest = u64::try_from(longest.as_millis()).unwrap();
        Duration::from_millis(self.below(longest))
    }
}

/// No two processes believe at once that they hold a lock while they and the server are killed and
/// stopped, and the network is cut; and later holds have greater fences. For ten seconds, or as many as
/// `LOCKUTILS_STRESS_SECONDS` says.
pub fn nobody_believes_what_another_does_under_random_faults<S: Subject>(test: &Test<S>) {
    let given = |name| env::var(name).ok().map(|text| text.parse().unwrap());
    let seconds = given("LOCKUTILS_STRESS_SECONDS").unwrap_or(10);
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let seed = given("LOCKUTILS_STRESS_SEED").unwrap_or(since.as_secs());
    println!("seed: {seed}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("moments");
    File::create(&file).unwrap();
    let start = || {
        let mut process = test.other(LEASE);
        process.record(file.to_str().unwrap());
        process
    };
    let mut processes: Vec<Other> = (0..PROCESSES).map(|_| start()).collect();
    let (mut chance, end) = (Chance(seed), Instant::now() + Duration::from_secs(seconds));
    while Instant::now() < end {
        thread::sleep(chance.pause(LEASE / 5));
        let at = usize::try_from(chance.below(4)).unwrap();
        if chance.below(3) == 0 {
            processes[at] = start();
        } else {
            fault(test, &processes[at], &mut chance);
        }
    }
    // All of them go on, after all that.
    let over = now();
    for process in &mut processes {
        eventually("it has the lock again", || {
            let looks = looks(&file);
            looks
                .iter()
                .any(|look| look.moment > over && look.process == process.id())
        });
    }
    drop(processes);
    let holds = check(looks(&file));
    println!("{holds} holds");
    // Each process has had it since, on however busy a machine.
    assert!(holds >= PROCESSES, "{holds} holds");
}

/// A server that frees locks with their connections may give one to another before a holder can know
/// it that stands still, or that the network has left, which only the fence helps against. So there
/// is neither there.
fn fault<S: Subject>(test: &Test<S>, process: &Other, chance: &mut Chance) {
    let pause = chance.pause(LEASE + LEASE / 2);
    match chance.below(if S::OUTLIVES_CONNECTION { 5 } else { 1 }) {
        0 => test.server.restart(),
        1 => {
            process.proxy.cut();
            process.proxy.mend();
        }
        2 | 3 => {
            process.stop();
            thread::sleep(pause);
            process.go_on();
        }
        _ => {
            test.server.stop();
            thread::sleep(pause);
            test.server.go_on();
        }
    }
}

/// That somebody believed to hold the lock.
struct Look {
    process: u32,
    fence: u64,
    moment: u64,
}

fn looks(file: &Path) -> Vec<Look> {
    let text = fs::read_to_string(file).unwrap();
    let look = |line: &str| {
        let numbers: Vec<u64> = line.split(' ').map(|text| text.parse().unwrap()).collect();
        Look {
            process: numbers[0].try_into().unwrap(),
            fence: numbers[1],
            moment: numbers[2],
        }
    };
    text.lines().map(look).collect()
}

/// That each look is later than all of those with lesser fences. Gives how many holds there were.
fn check(mut looks: Vec<Look>) -> usize {
    looks.sort_unstable_by_key(|look| (look.moment, look.fence));
    let at_once = looks.windows(2).find(|two| two[0].fence > two[1].fence);
    if let Some([one, other]) = at_once {
        panic!(
            "{} holds by fence {} after {} had it by {}",
            other.process, other.fence, one.process, one.fence
        );
    }
    looks.dedup_by_key(|look| look.fence);
    looks.len()
}

#[test]
fn two_that_believe_at_once_are_found() {
    let looks = |looks: &[(u32, u64, u64)]| {
        let look = |&(process, fence, moment): &_| Look {
            process,
            fence,
            moment,
        };
        looks.iter().map(look).collect::<Vec<_>>()
    };
    assert_eq!(check(looks(&[(1, 1, 1), (2, 2, 3), (1, 1, 2)])), 2);
    let wrong = looks(&[(1, 1, 1), (2, 2, 2), (1, 1, 3)]);
    assert!(std::panic::catch_unwind(|| check(wrong)).is_err());
}
