//! What a key's expression sees, and when it is evaluated.

use lockutils::{Key, Locks, is_locked, key, synchronized};
use lockutils_tests::{eventually, in_time, yield_now};
use pollster::block_on;
use proptest::prelude::*;
use std::borrow::Cow;
use std::fmt::Display;
use std::num::{NonZero, ParseIntError};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[test]
fn literal_captures_the_arguments() {
    #[synchronized("key::vm-{id}")]
    fn plain(id: u32) -> bool {
        is_locked("key::vm-7") && id == 7
    }
    #[synchronized("key::{{{id:>3}}}-{name}")]
    async fn formatted(id: u32, name: &str) -> bool {
        is_locked("key::{  7}-a/b") && id == 7 && name == "a/b"
    }
    #[synchronized("key::{{}}")]
    fn braces() -> bool {
        is_locked("key::{}")
    }
    in_time(|| {
        assert!(plain(7));
        assert!(block_on(formatted(7, "a/b")));
        assert!(braces());
    });
}

/// Whatever it captures, and whether it needs `fmt` for it.
#[test]
fn literal_by_hand_is_the_key_of_the_attribute() {
    const SHELF: char = 'ß';

    #[synchronized("by-hand-{id}-{name}")]
    fn held(id: u64, name: &str) -> bool {
        is_locked(key!("by-hand-{id}-{name}")) && is_locked(format_args!("by-hand-{id}-{name}"))
    }
    in_time(|| assert!(held(u64::MAX, "a/b")));
    let (share, id) = (0.5, &-7);
    assert_eq!(Key::new(key!("{SHELF}{id}")).as_str(), "ß-7");
    assert_eq!(Key::new(key!(r"{share}-{id:>4}")).as_str(), "0.5-  -7");
    assert_eq!(Key::new(key!("{{}}")).as_str(), "{}");
    let locks = Locks::new("key::by hand");
    let _guard = locks.key(key!("vm-{id}")).lock();
    assert!(locks.key("vm--7").is_locked());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Also where the text before it ends near that of the room that a key has without allocating.
    #[test]
    fn literal_has_the_text_that_fmt_gives(
        before in "[a-z/%{}é]{0,70}",
        number: i128,
        shift in 0..128_u32,
        id: u64,
        sign: char,
        is_on: bool,
    ) {
        #[synchronized("{before}-{number}/{id}: {sign}{is_on}{boxed}.")]
        fn plain(
            before: &mut String,
            number: i128,
            id: NonZero<u64>,
            sign: char,
            is_on: bool,
            boxed: &mut Box<Arc<str>>,
            expected: &str,
        ) -> bool {
            is_locked(expected)
        }
        #[synchronized("{number}{before}{other}")]
        fn with_others<T: Display>(number: i128, before: &mut Cow<'_, str>, other: T, expected: &str) -> bool {
            is_locked(expected)
        }
        let number = number >> shift;
        let id = NonZero::new(id).unwrap_or(NonZero::<u64>::MAX);
        let mut boxed: Box<Arc<str>> = Box::new("%".into());
        let expected = format!("{before}-{number}/{id}: {sign}{is_on}{boxed}.");
        let is_so = plain(&mut before.clone(), number, id, sign, is_on, &mut boxed, &expected);
        prop_assert!(is_so, "{expected}");
        let expected = format!("{number}{before}{}", 1.5);
        prop_assert!(with_others(number, &mut before.into(), 1.5, &expected), "{expected}");
    }
}

#[test]
fn empty_literal_is_a_key() {
    #[synchronized("")]
    fn empty() -> bool {
        is_locked("")
    }
    in_time(|| assert!(empty()));
}

#[test]
fn expression_sees_the_arguments_and_self() {
    struct Vm {
        host: String,
    }
    impl Vm {
        #[synchronized(key = ("key::host", &self.host, disk + 1, ids[0]))]
        fn attach(&self, disk: u32, ids: &[u32]) -> bool {
            is_locked("key::host/node%2F1/8/3") && disk == 7 && ids.len() == 2
        }

        #[synchronized(key = self.host)]
        async fn detach(self) -> bool {
            yield_now().await;
            is_locked("node/1") && is_locked(self.host)
        }
    }
    in_time(|| {
        let vm = Vm {
            host: "node/1".to_owned(),
        };
        assert!(vm.attach(7, &[3, 4]));
        assert!(block_on(vm.detach()));
    });
}

/// `#[synchronized(key = name)]` takes a reference, so the body may give it away.
#[test]
fn argument_that_is_the_key_can_be_moved_in_the_body() {
    #[synchronized(key = name)]
    fn consume(name: String) -> Vec<u8> {
        assert!(is_locked("key::moved"));
        let moved = name;
        assert!(is_locked("key::moved"));
        moved.into_bytes()
    }
    #[synchronized(key = name)]
    async fn consume_async(name: String) -> Vec<u8> {
        let moved = name;
        yield_now().await;
        assert!(is_locked("key::moved"));
        moved.into_bytes()
    }
    in_time(|| {
        assert_eq!(consume("key::moved".to_owned()), b"key::moved");
        assert_eq!(
            block_on(consume_async("key::moved".to_owned())),
            b"key::moved"
        );
    });
}

#[test]
fn argument_that_is_the_key_can_be_changed_in_the_body() {
    #[synchronized(key = *id)]
    fn next(id: &mut u64) {
        *id += 1;
        assert!(is_locked(77_001) && !is_locked(77_002));
    }
    in_time(|| {
        let mut id = 77_001;
        next(&mut id);
        assert_eq!(id, 77_002);
        assert!(!is_locked(77_001));
    });
}

fn counted(evaluated: &AtomicUsize) -> &'static str {
    evaluated.fetch_add(1, Ordering::SeqCst);
    "key::counted"
}

#[synchronized(key = counted(evaluated))]
fn count(evaluated: &AtomicUsize) {
    let _ = evaluated;
}

#[synchronized(key = counted(evaluated))]
async fn count_async(evaluated: &AtomicUsize) {
    yield_now().await;
    let _ = evaluated;
}

#[test]
fn key_is_evaluated_once_and_before_waiting() {
    in_time(|| {
        let evaluated = AtomicUsize::new(0);
        let guard = lockutils::lock("key::counted");
        thread::scope(|scope| {
            scope.spawn(|| count(&evaluated));
            scope.spawn(|| block_on(count_async(&evaluated)));
            eventually("both keys are evaluated", || {
                evaluated.load(Ordering::SeqCst) == 2
            });
            drop(guard);
        });
        assert_eq!(evaluated.into_inner(), 2);
    });
}

#[test]
fn async_key_is_evaluated_when_the_future_is_polled() {
    in_time(|| {
        let evaluated = AtomicUsize::new(0);
        let call = count_async(&evaluated);
        assert_eq!(evaluated.load(Ordering::SeqCst), 0);
        block_on(call);
        assert_eq!(evaluated.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn panic_in_the_key_holds_nothing_and_runs_nothing() {
    #[synchronized(key = names[number])]
    fn select(names: &[&str], number: usize) -> &'static str {
        let _ = (names, number);
        "ran"
    }
    in_time(|| {
        let names = ["key::panic"];
        assert!(panic::catch_unwind(|| select(&names, 1)).is_err());
        assert!(!is_locked("key::panic"));
        assert_eq!(select(&names, 0), "ran");
    });
}

#[test]
fn question_mark_in_the_key_returns_from_the_function() {
    #[synchronized(key = ("key::parsed", text.parse::<u32>()?))]
    fn parsed(text: &str) -> Result<bool, ParseIntError> {
        let _ = text;
        Ok(is_locked("key::parsed/7"))
    }
    in_time(|| {
        assert_eq!(parsed("007"), Ok(true));
        assert!(parsed("seven").is_err());
    });
}

#[test]
fn key_of_an_async_function_may_await() {
    async fn lookup(id: u32) -> String {
        yield_now().await;
        format!("key::awaited-{id}")
    }
    #[synchronized(key = lookup(id).await)]
    async fn awaited(id: u32) -> bool {
        is_locked(format_args!("key::awaited-{id}"))
    }
    in_time(|| assert!(block_on(awaited(7))));
}

/// A key with a value that can't be sent must not make the future so.
#[test]
fn future_is_send_whatever_the_key_was_made_of() {
    #[synchronized(key = std::rc::Rc::new(id))]
    async fn shared(id: u32) -> bool {
        yield_now().await;
        is_locked(id)
    }
    in_time(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let task = runtime.spawn(shared(77_003));
        assert!(runtime.block_on(task).unwrap());
    });
}
