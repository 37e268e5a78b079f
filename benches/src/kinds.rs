//! Our locks by other keys than texts, and held in other ways than alone: by guard and by attribute.
//!
//! Each kind is a pair of types, of which the second has the attribute on a function that is given
//! no more than the key. For what is no text the key is its number.

use crate::contender::{AsyncContender, Contender, Key};
use lockutils::{Guard, LockKey, Locks, key, synchronized};
use std::mem;
use uuid::Uuid;

/// A space whose locks have more permits than there are threads.
static ROOMY: Locks = Locks::new("roomy benches").permits(16);

/// A space with fewer permits than threads.
static FOUR: Locks = Locks::new("benches with four permits").permits(4);

static FAIR: Locks = Locks::new("fair benches of kinds").fair();

/// The key of which the kinds are that another holds meanwhile.
const TAKEN: &str = "0000beef-83b1-4d6e-9f27-00000000beef";

/// An integer of a type of its own.
#[derive(Clone, Copy, LockKey)]
pub(crate) struct Id(u64);

/// A type with two fields.
#[derive(Clone, Copy, LockKey)]
pub(crate) struct Vm {
    host: &'static str,
    id: u64,
}

const fn id(key: &Key) -> u64 {
    key.id()
}

fn uuid(key: &Key) -> Uuid {
    Uuid::from_u128(0x2f1c_83b1_4d6e_9f27_0000_0000_0000_0000 + u128::from(id(key)))
}

/// `Guard Attribute: argument: its type = of the key => what the guard is, [the attribute's];`
macro_rules! kinds {
    ($($guard:ident $attribute:ident:
        $argument:ident: $type:ty = $value:expr => $lock:expr, [$($arguments:tt)*];)*) => {$(
        pub(crate) struct $guard;

        impl Contender for $guard {
            fn locked(&self, key: &Key, section: impl FnOnce()) {
                let $argument: $type = $value(key);
                let _guard = $lock;
                section();
            }
        }

        pub(crate) struct $attribute;

        impl Contender for $attribute {
            fn locked(&self, key: &Key, section: impl FnOnce()) {
                #[synchronized($($arguments)*)]
                fn held($argument: $type, section: impl FnOnce()) {
                    section();
                }
                held($value(key), section);
            }
        }
    )*};
}

const fn text(key: &Key) -> &'static str {
    key.text
}

fn numbered(key: &Key) -> Id {
    Id(id(key))
}

fn vm(key: &Key) -> Vm {
    Vm {
        host: "node-1.example",
        id: id(key),
    }
}

fn two(key: &Key) -> [u64; 2] {
    [id(key), id(key) + 1]
}

fn eight(key: &Key) -> [u64; 8] {
    std::array::from_fn(|index| id(key) + index as u64)
}

kinds! {
    IntegerGuard IntegerAttribute:
        id: u64 = id => lockutils::lock(id), [key = id];
    NewtypeGuard NewtypeAttribute:
        id: Id = numbered => lockutils::lock(id), [key = id];
    CapturedIdGuard CapturedIdAttribute:
        id: u64 = id => lockutils::lock(key!("user-{id}")), ["user-{id}"];
    CapturedNameGuard CapturedNameAttribute:
        name: &str = text => lockutils::lock(key!("user-{name}")), ["user-{name}"];
    TupleGuard TupleAttribute:
        id: u64 = id => lockutils::lock(("vm", id)), [key = ("vm", id)];
    DerivedGuard DerivedAttribute:
        vm: Vm = vm => lockutils::lock(vm), [key = vm];
    UuidGuard UuidAttribute:
        id: Uuid = uuid => lockutils::lock(id), [key = id];
    SharedGuard SharedAttribute:
        name: &str = text => lockutils::global().key(name).shared().lock(), [key = name, shared];
    CountedGuard CountedAttribute:
        name: &str = text => ROOMY.key(name).lock(), [key = name, locks = ROOMY];
    FourGuard FourAttribute:
        name: &str = text => FOUR.key(name).lock(), [key = name, locks = FOUR];
    FairGuard FairAttribute:
        name: &str = text => FAIR.key(name).lock(), [key = name, locks = FAIR];
    ReentrantGuard ReentrantAttribute:
        name: &str = text => lockutils::global().key(name).reentrant().lock(), [key = name, reentrant];
    TwoGuard TwoAttribute:
        ids: [u64; 2] = two => lockutils::global().keys(ids).lock(), [keys = ids];
    EightGuard EightAttribute:
        ids: [u64; 8] = eight => lockutils::global().keys(ids).lock(), [keys = ids];
}

thread_local! {
    /// What the thread holds in which others are re-entries.
    static OUTER: Guard = lockutils::lock("benches: outer");
}

/// A thread that holds the key goes in once more.
pub(crate) struct ReentryGuard;

impl Contender for ReentryGuard {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        OUTER.with(|_| ());
        let _guard = lockutils::global().key("benches: outer").reentrant().lock();
        section();
    }
}

/// The same by attribute.
pub(crate) struct ReentryAttribute;

impl Contender for ReentryAttribute {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        #[synchronized("benches: outer", reentrant)]
        fn held(section: impl FnOnce()) {
            section();
        }
        OUTER.with(|_| ());
        held(section);
    }
}

/// A shared hold beside another one.
pub(crate) struct BesideGuard(());

impl BesideGuard {
    pub(crate) fn new() -> Self {
        mem::forget(lockutils::global().key("benches: shared").shared().lock());
        Self(())
    }
}

impl Contender for BesideGuard {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        let _guard = lockutils::global().key("benches: shared").shared().lock();
        section();
    }
}

/// The same by attribute.
pub(crate) struct BesideAttribute;

impl Contender for BesideAttribute {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        #[synchronized(key = "benches: shared", shared)]
        fn held(section: impl FnOnce()) {
            section();
        }
        held(section);
    }
}

/// One of several permits beside another one.
pub(crate) struct BesideCountedGuard(());

impl BesideCountedGuard {
    pub(crate) fn new() -> Self {
        mem::forget(ROOMY.key("benches: counted").lock());
        Self(())
    }
}

impl Contender for BesideCountedGuard {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        let _guard = ROOMY.key("benches: counted").lock();
        section();
    }
}

/// The same by attribute.
pub(crate) struct BesideCountedAttribute;

impl Contender for BesideCountedAttribute {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        #[synchronized(key = "benches: counted", locks = ROOMY)]
        fn held(section: impl FnOnce()) {
            section();
        }
        held(section);
    }
}

/// A try that is refused, and its error.
pub(crate) struct RefusedGuard(());

impl RefusedGuard {
    pub(crate) fn new() -> Self {
        // Another one may hold it already, which is as good.
        mem::forget(lockutils::try_lock(TAKEN));
        Self(())
    }
}

impl Contender for RefusedGuard {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        let refused = lockutils::try_lock(TAKEN);
        drop(refused.expect_err("it is held"));
        section();
    }
}

/// The key is an integer, in a task.
pub(crate) struct AsyncInteger;

impl AsyncContender for AsyncInteger {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        #[synchronized(key = id)]
        async fn held(id: u64, section: impl Future<Output = ()>) {
            section.await;
        }
        held(id(key), section).await;
    }
}

/// The key is `"user-{id}"`, in a task.
pub(crate) struct AsyncCaptured;

impl AsyncContender for AsyncCaptured {
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>) {
        #[synchronized("user-{id}")]
        async fn held(id: u64, section: impl Future<Output = ()>) {
            section.await;
        }
        held(id(key), section).await;
    }
}

/// A bare lock that is held shared.
pub(crate) struct BareShared(parking_lot::RwLock<()>);

impl BareShared {
    pub(crate) const fn new() -> Self {
        Self(parking_lot::RwLock::new(()))
    }
}

impl Contender for BareShared {
    fn locked(&self, _key: &Key, section: impl FnOnce()) {
        let _guard = self.0.read();
        section();
    }
}
