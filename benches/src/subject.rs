//! What is measured: our locks, by guard and by attribute.
//!
//! A type for each way to name a lock. By attribute it is `locked` itself that is
//! annotated.

use crate::contender::{AsyncContender, Contender, Key};
use lockutils::{FileLocks, Locks, synchronized};

static SPACE: Locks = Locks::new("benches");

/// A space that is first come, first served.
pub(crate) static FAIR: Locks = Locks::new("fair benches").fair();

/// A key of the process-wide space, by guard.
pub(crate) struct GlobalGuard;

impl Contender for GlobalGuard {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = lockutils::lock(key.text);
        section();
    }
}

impl AsyncContender for GlobalGuard {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        let _guard = lockutils::lock_async(key.text).await;
        section.await;
    }
}

/// A key of the process-wide space, by attribute.
pub(crate) struct GlobalAttribute;

impl Contender for GlobalAttribute {
    #[synchronized(key = key.text)]
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        section();
    }
}

impl AsyncContender for GlobalAttribute {
    #[synchronized(key = key.text)]
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        section.await;
    }
}

/// A key of a space of one's own, by guard.
pub(crate) struct SpaceGuard;

impl Contender for SpaceGuard {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = SPACE.key(key.text).lock();
        section();
    }
}

/// A key of a space of one's own, by attribute.
pub(crate) struct SpaceAttribute;

impl Contender for SpaceAttribute {
    #[synchronized(key = key.text, locks = SPACE)]
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        section();
    }
}

/// A key of [`FAIR`], by guard.
pub(crate) struct FairGuard;

impl Contender for FairGuard {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = FAIR.key(key.text).lock();
        section();
    }
}

/// A lock file, by guard.
pub(crate) struct FileGuard(pub(crate) FileLocks);

impl Contender for FileGuard {
    fn locked(&self, key: &Key, section: impl FnOnce()) {
        let _guard = self.0.key(key.text).lock().expect("the file can be locked");
        section();
    }
}

/// [`Key::LITERAL`] where the compiler sees it, by guard.
pub(crate) struct LiteralGuard;

impl Contender for LiteralGuard {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        let _guard = lockutils::lock("nightly-backup");
        section();
    }
}

/// [`Key::LITERAL`] where the compiler sees it, by attribute.
pub(crate) struct LiteralAttribute;

impl Contender for LiteralAttribute {
    #[synchronized("nightly-backup")]
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        section();
    }
}

/// No key: the function's own lock.
pub(crate) struct FunctionAttribute;

impl Contender for FunctionAttribute {
    #[synchronized]
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        section();
    }
}
