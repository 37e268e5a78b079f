//! How often a call writes down its key: once, whatever way it goes, so that a text that
//! changes is still one key, in the lock and in what is said of it.

use lockutils::{Error, FileLocks, KeyWriter, LockKey, Locks, assert_locked, synchronized};
use lockutils_tests::Directory;
use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

static LOCKS: Locks = Locks::new("evaluation");

/// Has another text each time: `name-1`, `name-2` and so on.
struct Changing {
    name: &'static str,
    count: Cell<usize>,
    /// The texts in one piece, for a key that has them so.
    texts: Option<[String; 3]>,
}

impl Changing {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            count: Cell::new(0),
            texts: None,
        }
    }

    fn in_one_piece(name: &'static str) -> Self {
        let texts = [1, 2, 3].map(|count| format!("{name}-{count}"));
        let texts = Some(texts);
        Self {
            texts,
            ..Self::new(name)
        }
    }

    fn next(&self) -> usize {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }
}

impl fmt::Display for Changing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.name, self.next())
    }
}

impl LockKey for Changing {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        write!(out, "{self}").unwrap();
    }

    fn as_text(&self) -> Option<&str> {
        let texts = self.texts.as_ref()?;
        Some(&texts[self.next() - 1])
    }
}

/// The keys to try a call with.
fn each_kind(name: &'static str, call: impl Fn(&dyn LockKey, &str)) {
    let first = format!("{name}-1");
    for key in [Changing::new(name), Changing::in_one_piece(name)] {
        call(&key, &first);
        assert_eq!(key.count.get(), 1, "{name}");
    }
    let key = Changing::new(name);
    call(&format_args!("{key}"), &first);
    assert_eq!(key.count.get(), 1, "{name}");
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn handle_writes_its_key_once() {
    let counted = Locks::new("evaluation, counted").permits(2);
    let fair = Locks::new("evaluation, fair").fair();
    for locks in [&LOCKS, &counted, &fair] {
        let held = |first: &str| assert!(locks.key(first).is_locked());
        each_kind("lock", |key, first| {
            let _guard = locks.key(key).lock();
            held(first);
        });
        each_kind("shared", |key, first| {
            let _guard = locks.key(key).shared().lock();
            held(first);
        });
        each_kind("reentrant", |key, first| {
            let _guard = locks.key(key).reentrant().lock();
            held(first);
        });
        each_kind("try", |key, first| {
            let _guard = locks.key(key).try_lock().unwrap();
            held(first);
        });
        each_kind("timeout", |key, first| {
            let _guard = locks.key(key).lock_timeout(LONG).unwrap();
            held(first);
        });
        each_kind("async", |key, first| {
            let _guard = pollster::block_on(locks.key(key).lock_async());
            held(first);
        });
        each_kind("async timeout", |key, first| {
            let wait = locks.key(key).lock_timeout_async(LONG);
            let _guard = pollster::block_on(wait).unwrap();
            held(first);
        });
        each_kind("keys", |key, first| {
            let _guard = locks.keys([key]).lock();
            held(first);
        });
    }
}

#[test]
fn looking_at_a_lock_writes_its_key_once() {
    each_kind("is locked", |key, _| assert!(!LOCKS.key(key).is_locked()));
    each_kind("assert", |key, first| {
        let _guard = LOCKS.key(first).lock();
        assert_locked!(LOCKS, key);
    });
    each_kind("assert in vain", |key, first| {
        let text = panic_of(|| assert_locked!(LOCKS, key));
        assert!(text.contains(first), "{text}");
    });
}

#[test]
fn busy_lock_writes_its_key_once() {
    let busy = |name: &'static str, call: &dyn Fn(&dyn LockKey) -> Error| {
        each_kind(name, |key, first| {
            let _guard = LOCKS.key(first).lock();
            assert_eq!(call(key).key(), Some(first));
        });
    };
    busy("busy try", &|key| LOCKS.key(key).try_lock().unwrap_err());
    busy("busy shared", &|key| {
        LOCKS.key(key).shared().try_lock().unwrap_err()
    });
    busy("busy timeout", &|key| {
        LOCKS.key(key).lock_timeout(Duration::ZERO).unwrap_err()
    });
    busy("busy async timeout", &|key| {
        let wait = LOCKS.key(key).lock_timeout_async(Duration::ZERO);
        pollster::block_on(wait).unwrap_err()
    });
    busy("busy keys", &|key| {
        LOCKS.keys([key]).try_lock().unwrap_err()
    });
    each_kind("deadlock", |key, first| {
        let _guard = LOCKS.key(first).lock();
        let text = panic_of(|| drop(LOCKS.key(key).lock()));
        assert!(text.contains(first), "{text}");
    });
    each_kind("re-entry", |key, first| {
        let _guard = LOCKS.key(first).lock();
        drop(LOCKS.key(key).reentrant().lock());
    });
}

#[synchronized(key = key, locks = LOCKS)]
fn keyed(key: &dyn LockKey, first: &str) {
    assert!(LOCKS.key(first).is_locked());
}

#[synchronized(key = key, locks = LOCKS, shared)]
fn shared(key: &dyn LockKey, first: &str) {
    assert!(LOCKS.key(first).is_locked());
}

#[synchronized("{key}", locks = LOCKS)]
fn formatted(key: &Changing) {
    assert!(LOCKS.key("formatted-1").is_locked());
}

#[synchronized(key = key, locks = LOCKS, reentrant)]
fn reentrant(key: &dyn LockKey) {}

#[synchronized(keys = [key], locks = LOCKS)]
fn several(key: &dyn LockKey, first: &str) {
    assert!(LOCKS.key(first).is_locked());
}

#[synchronized(key = key, locks = LOCKS, nonblocking)]
fn tried(key: &dyn LockKey) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = key, locks = LOCKS, acquire_timeout = Duration::ZERO)]
fn in_time(key: &dyn LockKey) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = key, locks = LOCKS)]
async fn keyed_async(key: &dyn LockKey, first: &str) {
    assert!(LOCKS.key(first).is_locked());
}

#[synchronized(key = key, locks = LOCKS, acquire_timeout = Duration::ZERO)]
async fn in_time_async(key: &dyn LockKey) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = key, locks = files, acquire_timeout = Duration::ZERO)]
fn of_a_file(files: &FileLocks, key: &dyn LockKey) -> Result<(), Error> {
    Ok(())
}

#[synchronized(key = key, locks = files)]
async fn of_a_file_async(files: &FileLocks, key: &dyn LockKey) -> Result<(), Error> {
    Ok(())
}

#[test]
fn attribute_writes_its_key_once() {
    each_kind("keyed", keyed);
    each_kind("shared function", shared);
    each_kind("several", several);
    each_kind("keyed async", |key, first| {
        pollster::block_on(keyed_async(key, first));
    });
    let key = Changing::new("formatted");
    formatted(&key);
    assert_eq!(key.count.get(), 1);
    each_kind("busy function", |key, first| {
        let _guard = LOCKS.key(first).lock();
        reentrant(key);
    });
    for refused in [tried, in_time, |key: &dyn LockKey| {
        pollster::block_on(in_time_async(key))
    }] {
        each_kind("refused", |key, first| {
            let _guard = LOCKS.key(first).lock();
            assert_eq!(refused(key).unwrap_err().key(), Some(first));
        });
    }
}

#[test]
fn lock_file_writes_its_key_once() {
    let directory = Directory::new();
    let files = &FileLocks::new(&*directory);
    let held = |first: &str| assert!(files.key(first).is_locked().unwrap());
    each_kind("lock", |key, first| {
        let _guard = files.key(key).lock().unwrap();
        held(first);
    });
    each_kind("try", |key, first| {
        let _guard = files.key(key).try_lock().unwrap();
        held(first);
    });
    each_kind("timeout", |key, first| {
        let _guard = files.key(key).lock_timeout(LONG).unwrap();
        held(first);
    });
    each_kind("async", |key, first| {
        let _guard = pollster::block_on(files.key(key).lock_async()).unwrap();
        held(first);
    });
    each_kind("keys", |key, first| {
        let _guard = files.keys([key]).lock().unwrap();
        held(first);
    });
    each_kind("function", |key, _| of_a_file(files, key).unwrap());
    each_kind("async function", |key, _| {
        pollster::block_on(of_a_file_async(files, key)).unwrap();
    });
    each_kind("is locked", |key, _| {
        assert!(!files.key(key).is_locked().unwrap());
    });
    each_kind("holder", |key, _| {
        assert!(files.key(key).holder().unwrap().is_none());
    });
    each_kind("path", |key, first| {
        assert_eq!(files.path(key).unwrap(), directory.join(first));
    });
    each_kind("remove", |key, _| assert!(!files.remove(key).unwrap()));
    each_kind("assert-in-vain", |key, first| {
        let text = panic_of(|| assert_locked!(files, key));
        assert!(text.contains(first), "{text}");
    });
    each_kind("busy", |key, first| {
        let _guard = files.key(first).lock().unwrap();
        let error = files.key(key).lock().unwrap_err();
        assert_eq!(error.key(), Some(first));
    });
    each_kind("busy function", |key, first| {
        let _guard = files.key(first).lock().unwrap();
        assert_eq!(of_a_file(files, key).unwrap_err().key(), Some(first));
    });
}

fn panic_of(call: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).expect_err("it panics");
    *panic.downcast::<String>().expect("a formatted text")
}
