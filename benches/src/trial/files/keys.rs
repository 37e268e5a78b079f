//! How many lock files are open when many are used in turn.

use crate::contender::UuidText;
use crate::measure::Plan;
use crate::target::{Reach, Target, Unit};
use lockutils::FileLocks;
use lockutils_tests::Directory;
use std::fs;
use std::path::Path;

const KEYS: usize = 10_000;

/// How many files are open of a lock that is held: of one that waits in the kernel one more.
const HELD: usize = 2;

pub(crate) fn targets(_plan: Plan) -> Vec<Target> {
    let directory = Directory::new();
    let locks = FileLocks::new(&*directory);
    let mut most = 0;
    for number in 0..KEYS {
        let _guard = locks.key(UuidText(number).to_string()).lock();
        if number % 16 == 0 || number + 1 == KEYS {
            most = most.max(open_files(&directory));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let [cap, most] = [FileLocks::KEPT_OPEN + HELD, most].map(|files| files as f64);
    vec![Target {
        what: "lock files, 10,000 keys used in turn: open at once".to_owned(),
        reach: Reach::AtMost(cap, Unit::Files),
        measured: most,
        details: "`FileLocks::KEPT_OPEN`, and the one that is held".to_owned(),
    }]
}

/// How many files of a directory this process has open.
fn open_files(directory: &Path) -> usize {
    let open = fs::read_dir("/proc/self/fd").expect("a process sees its files");
    open.flatten()
        .filter_map(|file| file.path().read_link().ok())
        .filter(|file| file.starts_with(directory))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_are_those_of_the_directory() {
        let (directory, other) = (Directory::new(), Directory::new());
        let make = |directory: &Path| fs::File::create(directory.join("file")).unwrap();
        let _other = make(&other);
        assert_eq!(open_files(&directory), 0);
        let _file = make(&directory);
        assert_eq!(open_files(&directory), 1);
    }
}
