//! Waiting for so long and no longer.

use crate::by_hand::ByHand;
use crate::subject::Subject;
use crate::take::{KEY, LONG, SHORT, hold, hold_async, is_free, one_thread, wait};
use crate::test::Test;
use lockutils::engine::Mode;
use lockutils::{Error, ErrorKind};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// A thread gives up when the time is over, not before, and says what it waited for.
pub fn blocking_wait_times_out<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let _guard = one_thread().block_on(hold_async(&space, KEY));
    let start = Instant::now();
    let wait = wait(&space, KEY, Mode::Exclusive);
    let error = wait.block_for(SHORT).map(drop).unwrap_err();
    assert!(start.elapsed() >= SHORT);
    assert_timed_out(&error);
}

/// So does a task, on an executor without timers.
pub fn async_wait_times_out<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let _guard = hold(&space, KEY);
    let start = Instant::now();
    let wait = wait(&space, KEY, Mode::Exclusive);
    let error = pollster::block_on(wait.timed(SHORT)).map(drop).unwrap_err();
    assert!(start.elapsed() >= SHORT);
    assert_timed_out(&error);
}

fn assert_timed_out(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.key(), Some(KEY));
    assert!(error.waited() >= SHORT);
}

/// Whose time is over isn't handed the lock, which goes to the next.
pub fn wait_that_times_out_leaves_queue<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let guard = hold(&space, KEY);
    let wait = wait(&space, KEY, Mode::Exclusive);
    let mut first = ByHand::new(wait.timed(SHORT));
    let polled = first.poll();
    let mut second = ByHand::new(hold_async(&space, KEY));
    assert!(second.poll().is_pending());
    let first = match polled {
        Poll::Pending => first.finish(),
        // On a busy machine its time may be over before its first poll is.
        Poll::Ready(result) => result,
    };
    assert!(first.is_err());
    drop(guard);
    drop(second.finish());
    assert!(is_free(&space, KEY));
}

/// A lock that comes before the time is over is had, by a thread and by a task.
pub fn lock_that_is_released_in_time_is_had<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let waits = || wait(&space, KEY, Mode::Exclusive);
    let guard = hold(&space, KEY);
    let mut task = ByHand::new(waits().timed(LONG));
    assert!(task.poll().is_pending());
    thread::scope(|scope| {
        let thread = scope.spawn(|| waits().block_for(LONG).map(drop));
        drop(guard);
        drop(task.finish());
        assert!(thread.join().unwrap().is_ok());
    });
    assert!(is_free(&space, KEY));
}

/// Who gives no time at all has a lock that is free, whoever has to be asked for it; and waits for
/// nobody.
pub fn no_time_at_all_is_one_try<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let waits = || wait(&space, KEY, Mode::Exclusive);
    drop(waits().block_for(Duration::ZERO).unwrap());
    drop(pollster::block_on(waits().timed(Duration::ZERO)).unwrap());
    let guard = hold(&space, KEY);
    let errors = [
        waits().block_for(Duration::ZERO).map(drop),
        pollster::block_on(waits().timed(Duration::ZERO)).map(drop),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(error.key(), Some(KEY));
    }
    drop(guard);
    assert!(is_free(&space, KEY));
}

/// A time in which an answer may or may not come ends with the lock or without it: who is late
/// doesn't have it afterwards.
pub fn time_that_is_too_short_leaves_the_lock_free<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let waits = || wait(&space, KEY, Mode::Exclusive);
    for micros in [0, 1, 20, 50, 100, 200, 500, 1000] {
        let time = Duration::from_micros(micros);
        for tried in [
            waits().block_for(time).map(drop),
            pollster::block_on(waits().timed(time)).map(drop),
        ] {
            let late = tried.err().map(|error| error.kind());
            assert!(matches!(late, None | Some(ErrorKind::Timeout)), "{late:?}");
            assert!(is_free(&space, KEY), "after {time:?}");
        }
    }
}
