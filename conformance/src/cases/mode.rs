//! Shared holds, and those of a thread that goes in again.

use crate::recorder::Recorder;
use crate::subject::Subject;
use crate::take::{KEY, hold, is_free, one_thread, try_on, wait};
use crate::test::Test;
use lockutils::Site;
use lockutils::engine::{Mode, Reentry, Space as _};
use std::thread;

/// Shared holders are inside together, threads and tasks.
pub fn shared_holders_are_inside_together<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let one = try_on(&space, KEY, Mode::Shared).unwrap();
    let two = pollster::block_on(wait(&space, KEY, Mode::Shared).try_async()).unwrap();
    let three = one_thread().block_on(wait(&space, KEY, Mode::Shared));
    assert!(!is_free(&space, KEY));
    drop(one);
    assert!(!is_free(&space, KEY));
    drop((two, three.unwrap()));
    assert!(is_free(&space, KEY));
}

/// Who shares a lock keeps exclusive holders out, and those keep out who would share it. No
/// space has to let sharers in together, but it has to let all of them in in the end.
pub fn shared_and_exclusive_holders_exclude_each_other<S: Subject>(test: &Test<S>) {
    const ROUNDS: usize = 50;
    let space = test.space();
    let shared = try_on(&space, KEY, Mode::Shared).unwrap();
    assert!(!is_free(&space, KEY));
    drop(shared);
    let alone = hold(&space, KEY);
    assert!(try_on(&space, KEY, Mode::Shared).is_err());
    drop(alone);

    let recorder = Recorder::new();
    thread::scope(|scope| {
        for index in 0..9 {
            let (space, recorder) = (&space, &recorder);
            let stay = move || match index % 3 {
                0 => recorder.enter(),
                _ => recorder.enter_shared(),
            };
            let mode = if index % 3 == 0 {
                Mode::Exclusive
            } else {
                Mode::Shared
            };
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    if (index + round) % 2 == 0 {
                        let _guard = wait(space, KEY, mode).block().unwrap();
                        let _stay = stay();
                        thread::yield_now();
                    } else {
                        let _guard = pollster::block_on(wait(space, KEY, mode)).unwrap();
                        let _stay = stay();
                        thread::yield_now();
                    }
                }
            });
        }
    });
    recorder.assert_exclusive(9 * ROUNDS);
    assert!(is_free(&space, KEY));
}

/// A thread that holds a key goes in again; another doesn't, until both holds have ended.
pub fn reentrant_thread_goes_straight_in<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let enter = || space.try_now(&KEY, Mode::Exclusive, Reentry::Allowed, Site::here());
    let (outer, inner) = (enter().unwrap(), enter().unwrap());
    let others_are_out = || {
        let other = || enter().is_err();
        thread::scope(|scope| scope.spawn(other).join().unwrap())
    };
    assert!(others_are_out());
    drop(outer);
    assert!(others_are_out());
    drop(inner);
    assert!(!others_are_out());
}
