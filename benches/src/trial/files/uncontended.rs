//! One thread that takes and releases one lock file, again and again.
//!
//! The reference is the kernel's lock alone, taken and released on a file that is open: two
//! system calls. Of oslo.concurrency it is its external lock, timed in its own process.

use super::{figure, oslo};
use crate::contender::{Contender, Key};
use crate::figure::compared;
use crate::measure::{self, Plan, Run};
use crate::subject::FileGuard;
use crate::target::{Reach, Target, Unit};
use lockutils::FileLocks;
use lockutils_tests::Directory;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use std::fs::File;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long oslo.concurrency takes at least, so that it is asked for a number of times that
/// lasts for about a stretch.
const OF_OSLO: Duration = Duration::from_micros(25);

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let directory = Directory::new();
    let file = File::create(directory.join("raw")).expect("a file can be made");
    let (ours, key) = (FileGuard(FileLocks::new(&*directory)), Key::uuid(0));
    let mut runs: Vec<Run> = vec![
        Box::new(move |length| each(length, || lock_and_unlock(&file))),
        Box::new(move |length| each(length, || ours.locked(black_box(&key), || ()))),
    ];
    if let Some(mut python) = oslo(&directory) {
        runs.push(Box::new(move |length| {
            let times = (length.as_micros() / OF_OSLO.as_micros()).max(1);
            figure(&python.ask_for(&format!("time {times} key"), "time"))
        }));
    }
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    let target = |what: &str, reach, times: &[f64], reference: &[f64]| Target {
        what: format!("lock file, uncontended: {what}"),
        reach,
        measured: measure::ratio(times, reference),
        details: compared(times, reference),
    };
    let (raw, ours, others) = (&times[0], &times[1], &times[2..]);
    let reach = Reach::AtMost(1.5, Unit::Times);
    let mut targets = vec![target("lockutils / the kernel's lock", reach, ours, raw)];
    let reach = Reach::AtLeast(10.0, Unit::Times);
    let of_oslo = others.iter();
    targets.extend(of_oslo.map(|times| target("oslo.concurrency / lockutils", reach, times, ours)));
    targets
}

fn each(length: Duration, section: impl Fn() + Sync) -> f64 {
    measure::at_once(1, length, |_, over: &AtomicBool| {
        let mut acquisitions = 0;
        while acquisitions == 0 || !over.load(Ordering::Relaxed) {
            section();
            acquisitions += 1;
        }
        acquisitions
    })
}

/// Two system calls.
fn lock_and_unlock(file: &File) {
    for kind in [libc::F_WRLCK, libc::F_UNLCK] {
        let lock = libc::flock {
            l_type: kind.try_into().expect("the kinds are 0 to 2"),
            l_whence: libc::SEEK_SET.try_into().expect("zero"),
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).expect("nobody else has the file");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_excludes_what_it_is_compared_with() {
        let directory = Directory::new();
        let locks = FileLocks::new(&*directory);
        let guard = locks.key("key").lock().unwrap();
        let file = File::options().write(true).open(directory.join("key"));
        let file = file.unwrap();
        let lock = std::panic::AssertUnwindSafe(|| lock_and_unlock(&file));
        assert!(std::panic::catch_unwind(lock).is_err());
        drop(guard);
        lock_and_unlock(&file);
        drop(locks.key("key").try_lock().unwrap());
    }
}
