//! The in-process spaces pass what every space must pass.

use lockutils::engine::{Acquire, Mode, Space};
use lockutils::{AsyncGuard, Key, LockKey, Locks, Site};
use lockutils_conformance::{Subject, conformance};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

struct InProcess;

impl Subject for InProcess {
    type Space = Locks;

    fn space(_place: &Path) -> Locks {
        Locks::new("conformance")
    }
}

conformance!(InProcess);

mod fair {
    use super::*;

    struct Fair;

    impl Subject for Fair {
        type Space = Locks;

        fn space(_place: &Path) -> Locks {
            Locks::new("conformance, fair").fair()
        }
    }

    conformance!(Fair);
}

/// A space of several permits a key is like any other when all but one of them are taken.
mod permits {
    use super::*;

    struct Permits;

    impl Subject for Permits {
        type Space = LastPermit;

        // A shared hold takes a permit as well.
        const SHARED: bool = false;

        fn space(_place: &Path) -> LastPermit {
            LastPermit {
                locks: Locks::new("conformance, permits").permits(3),
                others: Mutex::default(),
            }
        }
    }

    conformance!(Permits);

    /// A space that takes all permits of a key but one, when the key is first named.
    struct LastPermit {
        locks: Locks,
        others: Mutex<HashMap<String, [AsyncGuard; 2]>>,
    }

    impl LastPermit {
        fn take_others(&self, key: &dyn LockKey) {
            let mut others = self.others.lock().unwrap();
            others.entry(Key::new(key).to_string()).or_insert_with(|| {
                [(); 2].map(|()| self.locks.key(key).try_lock().unwrap().into_async())
            });
        }
    }

    impl Space for LastPermit {
        type Machine = <Locks as Space>::Machine;

        fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<Self::Machine> {
            self.take_others(key);
            self.locks.wait(key, mode, site)
        }

        fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<Self::Machine> {
            for key in &keys {
                self.take_others(key);
            }
            self.locks.wait_all(keys, mode, site)
        }
    }
}

/// An engine whose locks can be lost.
mod lossy {
    use super::*;
    use lockutils_tests::{Lossy, LossyLocks};

    struct CanBeLost;

    impl Subject for CanBeLost {
        type Space = LossyLocks;

        const SHARED: bool = false;
        const LOSS: bool = true;
        const FENCE: bool = true;

        fn space(_place: &Path) -> LossyLocks {
            Lossy::locks()
        }

        fn lose(space: &LossyLocks, key: &str) {
            space.engine().lose(key);
        }
    }

    conformance!(CanBeLost);
}
