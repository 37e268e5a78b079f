//! An attribute that another one above it has copied, as caches do and test fixtures: the
//! function takes its key, and calls a second one that takes it too.

use super::{panic_text, reports, reports_of};
use lockutils::{Error, ErrorKind, Locks, synchronized};
use lockutils_tests::{ByHand, eventually, in_time};

/// What such an attribute makes of a function.
macro_rules! copied {
    ($(#[$attr:meta])* async fn $name:ident() -> $output:ty $body:block) => {
        $(#[$attr])*
        async fn $name() -> $output {
            $(#[$attr])*
            async fn uncached() -> $output $body
            uncached().await
        }
    };
    ($(#[$attr:meta])* fn $name:ident() -> $output:ty $body:block) => {
        $(#[$attr])*
        fn $name() -> $output {
            $(#[$attr])*
            fn uncached() -> $output $body
            uncached()
        }
    };
}

const REMEDY: &str = "put `#[synchronized]` above that one";

static LOCKS: Locks = Locks::new("copied");

copied! {
    #[synchronized(key = "panics", locks = LOCKS)]
    fn panics() -> u32 { 7 }
}

copied! {
    #[synchronized(key = "fails", locks = LOCKS, acquire_timeout = "1h")]
    fn fails() -> Result<(), Error> { Ok(()) }
}

copied! {
    #[synchronized(key = "waits", locks = LOCKS)]
    async fn waits() -> u32 { 7 }
}

copied! {
    #[synchronized(key = "times out", locks = LOCKS, acquire_timeout = "1500ms")]
    async fn times_out() -> Result<(), Error> { Ok(()) }
}

#[test]
fn panic_says_that_the_attribute_was_copied() {
    in_time(|| {
        let text = panic_text(|| assert_eq!(panics(), 7)).unwrap();
        assert!(text.ends_with(REMEDY), "{text}");
        assert_eq!(text.matches(REMEDY).count(), 1, "{text}");
    });
}

#[test]
fn error_says_that_the_attribute_was_copied() {
    in_time(|| {
        let error = fails().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        assert!(error.to_string().ends_with(REMEDY), "{error}");
        assert!(error.deadlock().unwrap().to_string().ends_with(REMEDY));
    });
}

#[test]
fn report_says_that_the_attribute_was_copied() {
    in_time(|| {
        reports();
        let mut task = ByHand::new(waits());
        assert!(task.poll().is_pending());
        let is_told = || {
            let reports = reports_of("copied");
            reports
                .iter()
                .any(|report| report.contains("\"copied/waits\"") && report.ends_with(REMEDY))
        };
        eventually("it is reported, with the remedy", is_told);
    });
}

#[test]
fn timeout_says_that_the_attribute_was_copied() {
    let runtime = super::runtime();
    let error = runtime.block_on(times_out()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().ends_with(REMEDY), "{error}");
}

#[test]
fn two_functions_of_one_key_are_no_copies() {
    #[synchronized(key = "two", locks = LOCKS)]
    fn outer() {
        inner();
    }

    #[synchronized(key = "two", locks = LOCKS)]
    fn inner() {}

    in_time(|| {
        let text = panic_text(outer).unwrap();
        assert!(text.ends_with("or use `reentrant`"), "{text}");
    });
}
