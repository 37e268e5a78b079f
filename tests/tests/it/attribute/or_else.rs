//! `or_else = ..`: the function says itself what a failure is.

use lockutils::{Error, ErrorKind, Locks, synchronized};
use lockutils_tests::yield_now;
use pollster::block_on;

static LOCKS: Locks = Locks::new("attribute or_else");

#[derive(Debug, PartialEq)]
enum Answer {
    Done,
    Skipped(ErrorKind),
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        Self::Skipped(error.kind())
    }
}

#[test]
fn what_it_gives_is_returned_and_the_body_does_not_run() {
    #[synchronized("busy", locks = LOCKS, nonblocking, or_else = Answer::from)]
    fn path(ran: &mut bool) -> Answer {
        *ran = true;
        Answer::Done
    }
    #[synchronized("busy", locks = LOCKS, acquire_timeout = "1ms", or_else = |error| {
        Answer::Skipped(error.kind())
    })]
    async fn closure(ran: &mut bool) -> Answer {
        yield_now().await;
        *ran = true;
        Answer::Done
    }
    let mut ran = false;
    let guard = block_on(LOCKS.key("busy").lock_async());
    assert_eq!(path(&mut ran), Answer::Skipped(ErrorKind::Busy));
    assert_eq!(
        block_on(closure(&mut ran)),
        Answer::Skipped(ErrorKind::Timeout)
    );
    assert!(!ran);
    drop(guard);
    assert_eq!(path(&mut ran), Answer::Done);
    assert_eq!(block_on(closure(&mut ran)), Answer::Done);
    assert!(ran);
}

#[test]
fn closure_sees_the_arguments_and_may_move_them() {
    #[synchronized("moved", locks = LOCKS, nonblocking, or_else = move |error| {
        (name, error.key() == Some("moved"))
    })]
    fn moved(name: String) -> (String, bool) {
        (name, false)
    }
    let guard = LOCKS.key("moved").lock();
    assert_eq!(moved("a".into()), ("a".into(), true));
    drop(guard);
    assert_eq!(moved("a".into()), ("a".into(), false));
}

#[test]
fn function_may_return_nothing() {
    #[synchronized("unit", locks = LOCKS, nonblocking, or_else = |_| *skipped += 1)]
    fn unit(skipped: &mut u32) {}
    let mut skipped = 0;
    unit(&mut skipped);
    let _guard = LOCKS.key("unit").lock();
    unit(&mut skipped);
    assert_eq!(skipped, 1);
}

#[test]
fn hold_that_cannot_fail_may_have_it() {
    #[synchronized("sure", or_else = Answer::from)]
    fn sure() -> Answer {
        Answer::Done
    }
    #[synchronized("sure", locks = LOCKS, or_else = |error| panic!("{error}"))]
    async fn sure_async() -> Answer {
        Answer::Done
    }
    assert_eq!(sure(), Answer::Done);
    assert_eq!(block_on(sure_async()), Answer::Done);
}

#[test]
fn it_takes_precedence_over_the_return_type() {
    #[synchronized("result", locks = LOCKS, nonblocking, or_else = |_| Ok(0))]
    fn result() -> Result<u32, Error> {
        Ok(1)
    }
    let _guard = LOCKS.key("result").lock();
    assert_eq!(result().unwrap(), 0);
}
