//! A recording takes no more memory than it says, however many locks are taken meanwhile; nor does what is
//! remembered of waits.
//!
//! In a binary of its own, since it counts what its allocator does. That counts for a thread, so the one
//! that records takes the locks as well: while it writes, when what it writes is in memory, too.

#![forbid(unsafe_code)]

use lockutils::Locks;
#[cfg(unix)]
use lockutils::inspect::Builder;
use lockutils::observe::{self, RecordOptions};
use lockutils_tests::ByHand;
#[cfg(unix)]
use lockutils_tests::Directory;
use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What [`record`](observe::record()) says that it takes.
const MOST: u64 = 4 * 1024 * 1024;

/// So many holds that are waited for are more than there is room for.
const KEYS: usize = 4000;

static LOCKS: Locks = Locks::new("recorded in little memory");

/// What a process that [serves](lockutils::inspect) says that it takes for what it remembers.
const MOST_REMEMBERED: u64 = 1024 * 1024;

/// One test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Fills whatever has room again and again while it is written to, and ends by an error.
struct Filling<'a> {
    begins: &'a AtomicBool,
    writes: usize,
}

impl io::Write for Filling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begins.store(true, Ordering::SeqCst);
        self.writes += 1;
        match self.writes {
            writes if writes % 8 == 1 => (writes * KEYS..(writes + 1) * KEYS).for_each(wait),
            // Each part is some twenty writes.
            100.. => return Err(ErrorKind::StorageFull.into()),
            _ => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Two holds and a wait of a key that there is once.
fn wait(number: usize) {
    let key = format!("{number:036}");
    let held = LOCKS.key(&key).lock();
    let mut waiter = ByHand::new(LOCKS.key(&key).lock_async());
    assert!(waiter.poll().is_pending());
    drop(held);
    assert!(waiter.poll().is_ready());
}

#[test]
fn recording_that_is_full_takes_no_more_memory_than_it_says() {
    let _alone = ALONE.lock();
    let begins = AtomicBool::new(false);
    let to = Filling {
        begins: &begins,
        writes: 0,
    };
    let mut error = None;
    let info = thread::scope(|scope| {
        // Before something is there nothing is written.
        scope.spawn(|| {
            while !begins.load(Ordering::SeqCst) {
                drop(LOCKS.key("first").lock());
            }
        });
        let options = RecordOptions::default().lasting(Duration::from_secs(3600));
        let record = || error = observe::record(to, &options).err();
        allocation_counter::measure(record)
    });
    let error = error.expect("it has ended by an error");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    println!("{} bytes", info.bytes_max);
    assert!(info.bytes_max < MOST, "{}", info.bytes_max);
    // Else it is no longer that which fills it.
    assert!(info.bytes_max > MOST / 2, "{}", info.bytes_max);
}

/// Both of many locks with few waits, and of few with many.
#[cfg(unix)]
#[test]
fn what_is_remembered_of_waits_takes_no_more_memory_than_it_says() {
    let _alone = ALONE.lock();
    let directory = Directory::new();
    let server = Builder::new().path(directory.join("socket")).serve();
    let server = server.expect("it can be served there");
    let begin = 1 << 32; // Other keys than the other test has.
    let info = allocation_counter::measure(|| {
        (begin..begin + 20_000).for_each(wait);
        (0..20_000).for_each(|number| wait(begin + number / 100));
    });
    drop(server);
    let bytes = u64::try_from(info.bytes_current).expect("some are still there");
    println!("{bytes} bytes");
    assert!(bytes < MOST_REMEMBERED, "{bytes}");
    // Else there is more room.
    assert!(bytes > MOST_REMEMBERED / 2, "{bytes}");
}
