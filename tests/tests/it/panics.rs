//! Where a panic says that it happened: at the user's call, and not in a file of ours.

use lockutils::{FileLocks, Locks, assert_locked, synchronized};
use lockutils_tests::Directory;
use std::cell::Cell;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::pin::pin;
use std::sync::Once;
use std::task::{Context, Waker};
use std::time::Duration;

static LOCKS: Locks = Locks::new("panics");

/// The file and the line of the panic.
fn place_of(panics: impl FnOnce()) -> (String, u32) {
    static HOOK: Once = Once::new();
    thread_local! {
        static PLACE: Cell<Option<(String, u32)>> = const { Cell::new(None) };
    }
    HOOK.call_once(|| {
        let hook = take_hook();
        set_hook(Box::new(move |panic| {
            let place = |place: &Location<'_>| (place.file().to_owned(), place.line());
            PLACE.set(panic.location().map(place));
            hook(panic);
        }));
    });
    PLACE.set(None);
    catch_unwind(AssertUnwindSafe(panics)).expect_err("it panics");
    PLACE.take().expect("the hook was called")
}

#[track_caller]
fn check(line: u32, panics: impl FnOnce()) {
    assert_eq!(place_of(panics), (file!().to_owned(), line));
}

#[test]
fn deadlock_points_at_the_call() {
    let _guard = lockutils::lock("panics");
    check(line!(), || drop(lockutils::lock("panics")));
    check(line!(), || drop(lockutils::global().key("panics").lock()));
    check(line!(), || drop(lockutils::lock(format_args!("panics"))));

    let _guard = LOCKS.key(7).lock();
    check(line!(), || drop(LOCKS.key("7").lock()));
    check(line!(), || drop(LOCKS.key(7).shared().lock()));
    check(line!(), || drop(LOCKS.keys([5, 7]).lock()));
    check(line!(), || drop(LOCKS.keys([5, 7]).shared().lock()));
}

#[test]
fn deadlock_beyond_the_fast_path_points_at_the_call() {
    let counted = Locks::new("panics, counted").permits(2);
    let _guards = [counted.key(7).lock(), counted.key(7).lock()];
    check(line!(), || drop(counted.key(7).lock()));

    let fair = Locks::new("panics, fair").fair();
    let _guard = fair.key(7).lock();
    check(line!(), || drop(fair.key(7).lock()));

    let long = "x".repeat(100);
    let _guard = LOCKS.key(&long).lock();
    check(line!(), || drop(LOCKS.key(&long).lock()));

    let _guard = LOCKS.key("shared").shared().lock();
    check(line!(), || drop(LOCKS.key("shared").lock()));
    check(line!(), || drop(LOCKS.key("shared").reentrant().lock()));
}

#[expect(unconditional_recursion, reason = "it ends at its own lock")]
#[synchronized("panics, function")]
fn again() {
    again();
}

struct Connection(u32);

#[synchronized(key = self.0, locks = LOCKS)]
impl Connection {
    fn again(&self) {
        Connection(self.0).again();
    }
}

#[synchronized(keys = [8, 9], locks = &LOCKS)]
fn again_with_several() {
    again_with_several();
}

#[synchronized("panics, shared", shared)]
fn in_shared() {
    again_alone();
}

#[synchronized("panics, shared", reentrant)]
fn again_alone() {}

/// The compiler takes the attribute's first line or its end.
#[test]
fn deadlock_points_at_the_attribute() {
    let source = include_str!("panics.rs");
    let line_of = |text: &str| 1 + source.lines().position(|line| line == text).unwrap();
    for (attribute, panics) in [
        ("#[synchronized(\"panics, function\")]", again as fn()),
        ("#[synchronized(key = self.0, locks = LOCKS)]", || {
            Connection(7).again();
        }),
        (
            "#[synchronized(keys = [8, 9], locks = &LOCKS)]",
            again_with_several,
        ),
        ("#[synchronized(\"panics, shared\", reentrant)]", in_shared),
    ] {
        let (file, line) = place_of(panics);
        assert_eq!(file, file!());
        assert_eq!(line as usize, line_of(attribute));
    }
}

#[test]
fn misuse_points_at_the_call() {
    check(line!(), || drop(Locks::new("x").permits(black_box(0))));
    check(line!(), || assert_locked!(LOCKS, "nobody's"));
    check(line!(), || assert_locked!("panics, nobody's"));

    let directory = Directory::new();
    let files = FileLocks::new(&*directory);
    check(line!(), || assert_locked!(files, "nobody's"));
    check(line!(), || assert_locked!(files, ""));
}

#[test]
fn poll_after_the_end_points_at_the_poll() {
    macro_rules! check_poll_of {
        ($future:expr) => {{
            let mut future = pin!($future);
            let context = &mut Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(context).is_ready());
            check(line!(), || drop(future.as_mut().poll(context)));
        }};
    }
    let (long, busy) = (Duration::from_secs(60), LOCKS.key("busy").lock());
    check_poll_of!(LOCKS.key("poll").lock_async());
    check_poll_of!(LOCKS.key("poll").shared().lock_async());
    check_poll_of!(LOCKS.keys(["poll", "polls"]).lock_async());
    check_poll_of!(LOCKS.key("poll").lock_timeout_async(long));
    check_poll_of!(LOCKS.key("busy").lock_timeout_async(Duration::ZERO));
    check_poll_of!(LOCKS.keys(["poll", "polls"]).lock_timeout_async(long));
    check_poll_of!(LOCKS.key("poll").try_lock_async());
    check_poll_of!(LOCKS.key("busy").try_lock_async());
    drop(busy);

    let directory = Directory::new();
    let files = FileLocks::new(&*directory);
    check_poll_of!(files.key("poll").lock_async());
    check_poll_of!(files.key("").lock_async());
    check_poll_of!(files.keys(["poll", "polls"]).lock_async());
    check_poll_of!(files.key("poll").lock_timeout_async(long));
    check_poll_of!(files.key("poll").try_lock_async());
}
