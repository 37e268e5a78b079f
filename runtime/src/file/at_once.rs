//! A thread's first try for a lock file.
//!
//! [`Outside`] takes any lock, in steps, and keeps what the next step and an error would need. Most lock files that
//! somebody wants are free: then the thread has the two locks, that in the process and the kernel's, before there are
//! any steps, in two thirds of the instructions. Where somebody is in the way, the steps go on from what it has.

use super::engine::{FilePlace, Files};
use super::path::Rule;
use crate::acquire::Acquire;
use crate::begun::Begun;
use crate::guard::Guard;
use crate::held::{Held, Holding};
use crate::key::{Key, LockKey};
use crate::name::Taken;
use crate::outside::{Engine as _, Outside, Queued};
use crate::site::Site;
use crate::space::Space as _;
use crate::table::Hold;
use crate::table::policy::Terms;
use std::fs::File;
use std::io;

/// A lock file that was taken so. Dropping it releases the kernel's lock, by its own `drop`, then that in the
/// process, and then ends the use of the file, which are its last fields in this order.
struct AtOnce {
    rule: Rule,
    taken: Taken,
    in_process: Hold,
    place: FilePlace,
}

/// Takes the lock of a key for a thread if it is free; else makes ready to wait. With `spins` it also waits for another
/// thread for about as long as it takes to block.
#[track_caller]
pub(super) fn begin(
    locks: &Queued<Files>,
    key: &dyn LockKey,
    terms: Terms,
    site: Site,
    spins: bool,
) -> Begun<Guard, Outside<Files>> {
    let key = Key::of(key);
    let Some((place, in_process)) = begin_here(locks.engine(), &key, terms, site, spins) else {
        let acquire = locks.wait(&key, terms.mode, site);
        return Begun::Wait(Box::new(acquire.with(terms.reentry)));
    };
    match locks.engine().try_first(&place, terms, site) {
        Ok(()) => {
            let space = locks.name();
            let at_once = AtOnce {
                rule: locks.engine().space.rule,
                taken: Taken { space, key, site },
                in_process,
                place,
            };
            Begun::Held(Guard::new(Held::more(Box::new(at_once))))
        }
        // It keeps the in-process lock, so that nobody in the process overtakes it.
        Err(wait) => {
            let (engine, name) = (locks.shared_engine(), place.file.name().clone());
            let machine = Outside::named(engine, key, name, terms.mode, site);
            let machine = machine.asked(place, in_process, wait);
            Begun::Wait(Box::new(Acquire::one(machine).with(terms.reentry)))
        }
    }
}

/// Takes the in-process lock. What is wrong with the file, the steps say.
#[inline]
#[track_caller]
fn begin_here(
    files: &Files,
    key: &Key,
    terms: Terms,
    site: Site,
    spins: bool,
) -> Option<(FilePlace, Hold)> {
    let place = files.place_of(key).ok()?;
    let line = place.file.line();
    let called = line.called(key).as_bytes();
    let in_process = if spins {
        line.locks.take_soon(called, terms, site, Files::IS_BRIEF)
    } else {
        line.locks.take_thin(called, terms.mode, site)
    };
    Some((place, in_process?))
}

impl Holding for AtOnce {
    fn taken(&self) -> Vec<Taken> {
        vec![self.taken.clone()]
    }

    fn disown(&self) {
        self.in_process.disown();
    }

    fn files(&self) -> io::Result<Vec<File>> {
        Ok(vec![self.place.file.linked().duplicate()?])
    }
}

impl Drop for AtOnce {
    fn drop(&mut self) {
        self.place.file.linked().release(self.rule);
    }
}

#[cfg(all(test, unix, not(loom)))]
mod tests {
    use super::{Begun, Files, Outside, begin};
    use crate::error::ErrorKind;
    use crate::file::descriptor::{ASKED, Descriptor};
    use crate::site::Site;
    use crate::space::Space as _;
    use crate::table::policy::Mode;
    use crate::{Error, FileLocks, Guard};
    use std::fs;
    use std::path::PathBuf;
    use std::thread;
    use std::time::Duration;

    /// A lock file that the process knows, and that another process has.
    struct Others {
        directory: PathBuf,
        locks: FileLocks,
        /// For the kernel, each open file is somebody else's.
        held: Option<Descriptor>,
    }

    impl Others {
        fn new(test: &str) -> Self {
            let name = format!("lockutils-{test}-{}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            let locks = FileLocks::new(&directory);
            drop(locks.key("key").lock().unwrap());
            let other = Descriptor::open(&directory.join("key")).unwrap();
            assert!(other.try_lock(Mode::Exclusive).unwrap());
            Self {
                directory,
                locks,
                held: Some(other),
            }
        }

        /// What this thread's first try comes to.
        fn begin(&self) -> Begun<Guard, Outside<Files>> {
            let (queued, terms) = (&self.locks.0, Mode::Exclusive.once());
            begin(queued, &"key", terms, Site::here(), false)
        }

        /// What a try of another thread finds.
        fn try_elsewhere(&self) -> Result<(), ErrorKind> {
            let take = || self.locks.key("key").try_lock().map(drop);
            let tried = thread::scope(|scope| scope.spawn(take).join().unwrap());
            tried.map_err(|error| error.kind())
        }
    }

    impl Drop for Others {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.directory).unwrap();
        }
    }

    #[test]
    fn try_asks_the_kernel_once_where_another_process_has_the_file() {
        let others = Others::new("once");
        let locks = &others.locks;
        let asked = |take: &dyn Fn() -> Result<Guard, Error>| {
            let before = ASKED.get();
            assert!(take().is_err());
            ASKED.get() - before
        };
        assert_eq!(asked(&|| locks.key("key").try_lock()), 1);
        assert_eq!(asked(&|| locks.key("key").shared().try_lock()), 1);
        assert_eq!(asked(&|| locks.key("key").reentrant().try_lock()), 1);
        assert_eq!(asked(&|| locks.key("key").lock_timeout(Duration::ZERO)), 1);
        assert_eq!(asked(&|| others.begin().try_now()), 1);
    }

    #[test]
    fn thread_that_finds_another_process_in_the_way_is_the_next_of_its_own() {
        let mut others = Others::new("next");
        let (first, dropped) = (others.begin(), others.begin());
        others.held = None;
        assert_eq!(others.try_elsewhere(), Err(ErrorKind::Busy));
        drop(first.block().unwrap());
        drop(dropped);
        assert_eq!(others.try_elsewhere(), Ok(()));
    }

    #[test]
    fn thread_that_goes_on_no_more_gives_its_place_away() {
        let mut others = Others::new("away");
        let begun = others.begin();
        others.held = None;
        assert_eq!(others.try_elsewhere(), Err(ErrorKind::Busy));
        drop(begun);
        assert_eq!(others.try_elsewhere(), Ok(()));
    }

    /// Another thread may go on with it.
    #[test]
    fn thread_that_begins_and_knows_not_who_goes_on_keeps_nothing() {
        let mut others = Others::new("begins");
        let begun = others.locks.begin(&"key", Mode::Exclusive, Site::here());
        others.held = None;
        assert_eq!(others.try_elsewhere(), Ok(()));
        drop(begun);
    }
}
