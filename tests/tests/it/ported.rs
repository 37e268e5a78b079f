//! The tests of the originals, and where ours are.
//!
//! What `oslo.concurrency` (`lockutils`), `fasteners` and `tooz` test of locks inside
//! one process, and Nova of its own locks, is tested here too: in this module where
//! the test is the original's own story, else in the module of its topic. Not in the
//! tables: what is about processes and files, and what only Python needs.
//!
//! | `oslo.concurrency`, `test_lockutils.py` | ours |
//! |---|---|
//! | `test_synchronized_wrapped_function_metadata` | `attribute::signature::function_keeps_its_name_and_type` |
//! | `test_lock_internally_different_collections` | `space::two_spaces_of_one_name_are_two` |
//! | `test_lock_internally` | [`appends_of_ten_threads_never_interleave`] |
//! | `test_lock_internal_fair` | `fair::threads_are_served_in_the_order_of_their_arrival`, and so for tasks and both |
//! | `test_nested_synchronized_external_works` | with lock files; in process `attribute::exclusion::calls_of_annotated_functions_nest` |
//! | `test_contextlock`, `test_contextlock_unlocks` | `conformance::drop_releases`, `space::handle_can_be_used_again` |
//! | `test_no_slash_in_b64` | `conformance::different_text_is_another_lock` |
//! | `test_interthread_external_lock` | with lock files; in process [`one_call_ends_before_the_other_starts`] |
//! | `test_interthread_nonblocking_internal_lock` | [`call_that_is_not_to_wait_does_not_run`] |
//! | `test_fair_lock_with_semaphore`, `.._with_nonblocking` | fairness belongs to the space, so there is nothing to refuse |
//!
//! | `oslo.concurrency`, `test_lockutils_eventlet.py` | ours |
//! |---|---|
//! | `test_concurrent_green_lock_succeeds` | `conformance::different_keys_overlap_between_tasks_of_one_thread` |
//! | `test_lock_with_spawn`, `.._spawn_n`, and both with `fair` | [`second_task_of_a_thread_waits`], [`second_branch_of_a_task_waits`] |
//! | `test_first_lock_provides_mutual_exclusion_..`, `test_second_..` | the same, and `space::first_use_by_two_threads_is_of_one_space` |
//!
//! | `fasteners`, `test_lock.py` | ours |
//! |---|---|
//! | `test_no_double_writers`, `test_multi_writer` | `conformance::same_key_excludes_threads` |
//! | `test_writer_abort` | `conformance::panic_of_a_thread_releases` |
//! | `test_writer_chaotic` | [`half_of_the_threads_panic_and_the_others_run`] |
//! | release by one who does not own | `Guard` is not `Send`: a compile error |
//! | `test_no_concurrent_readers_writers` | `shared::stays_overlap_only_where_both_are_shared` |
//! | `test_reader_abort`, `test_double_reader_abort` | `shared::panic_inside_releases_that_hold_only` |
//! | `test_double_reader_writer` | `reentrant::shared_holder_goes_in_shared_past_an_exclusive_waiter` |
//! | `test_reader_chaotic`, and `test_writer_chaotic` with readers | `shared::half_of_either_kind_panic_and_the_others_run` |
//! | `test_writer_reader_writer`, `test_single_reader_writer`, `test_reader_to_writer`, `test_writer_to_reader`, `test_double_writer`, `test_double_reader` | `reentrant::reentrancy_is_as_with_readers_and_writers` |
//! | `test_multi_reader_multi_writer`, `.._single_writer` | `shared::readers_and_writers_in_any_number_visit_in_order` |
//! | `test_deadlock_reproducer` | `reentrant::writer_that_reads_inside_and_another_writer_come_to_an_end` |
//!
//! | `fasteners`, the other files | ours |
//! |---|---|
//! | `test_locked` | `attribute::exclusion::method_holds_the_lock_of_its_object` |
//! | `test_try_lock` | `conformance::try_is_busy_for_the_holder_too` |
//! | `test_many_locked` | `keys::any_number_of_keys_is_held` |
//! | `test_read_write_locked` | `shared::shared_excludes_exclusive_and_the_reverse` |
//! | a green thread is not its thread | [`second_task_of_a_thread_waits`] |
//!
//! | `tooz`, `test_coordination.py` | ours |
//! |---|---|
//! | acquire, release, `with` | `conformance::drop_releases` |
//! | a thread waits for the same object | `conformance::same_key_excludes_threads` |
//! | another thread can't take it, and can after the release | `conformance::try_on_a_held_key_is_busy` |
//! | a second lock does not release the first | `nesting::nested_keys_are_all_held_and_released_one_by_one` |
//! | two handles of one name | `conformance::space_by_reference_is_the_same_space` |
//! | a context that was not acquired raises | `inspection::error_names_the_lock_and_its_holder` |
//! | a second acquire that doesn't wait is refused | `conformance::try_is_busy_for_the_holder_too` |
//! | a second release is refused | a guard is dropped once |
//! | several coordinators | `space::two_spaces_of_one_name_are_two` |
//! | shared: two holders, which exclude an exclusive one and the reverse | `shared::shared_holders_are_inside_together`, `shared::shared_excludes_exclusive_and_the_reverse` |
//! | heartbeat, `break_` | with engines of other machines |
//!
//! | Nova, Cinder | ours |
//! |---|---|
//! | `TestFairLockGuard`: nested, deep | `nesting::deep_nesting_in_one_order_does_not_deadlock` |
//! | `TestFairLockGuard`: exception in a nested one keeps the outer | `nesting::panic_in_the_inner_lock_keeps_the_outer`, `keys::panic_in_nested_keys_keeps_the_outer` |
//! | `TestFairLockGuard`: released on exception, shared between threads | `conformance::panic_of_a_thread_releases`, `conformance::same_key_excludes_threads` |
//! | `TestFairLockGuard`: one, many, sorted, an empty list | `keys::any_number_of_keys_is_held`, `keys::keys_are_taken_in_the_order_of_their_text`, `keys::empty_list_holds_nothing_and_succeeds` |
//! | `TestFairLockGuard`: a part acquired is released | `keys::try_takes_all_or_none`, `keys::timeout_takes_all_or_none`, `keys::cancelled_wait_releases_the_keys_that_it_has` |
//! | `TestFairLockGuard`: a subset waits for the superset's holder | `keys::subset_waits_for_the_holder_of_the_superset` |
//! | `set_target_cell`: connects once for a cell | `attribute::cache::cache_is_filled_once` |
//! | Cinder: template of the arguments | `attribute::key::literal_captures_the_arguments` |
//! | Cinder: several keys, sorted, each once | `keys::keys_are_taken_in_the_order_of_their_text`, `keys::key_that_is_there_twice_is_taken_once` |

use lockutils::{ErrorKind, Locks};
use lockutils_tests::{Recorder, eventually, in_time, yield_now};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

#[test]
fn appends_of_ten_threads_never_interleave() {
    in_time(|| {
        let locks = Locks::new("appends");
        let appended = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for id in 0..10 {
                let (locks, appended) = (&locks, &appended);
                scope.spawn(move || {
                    let _guard = locks.key("testlock2").lock();
                    for _ in 0..10 {
                        appended.lock().unwrap().push(id);
                        thread::yield_now();
                    }
                });
            }
        });
        let appended = appended.into_inner().unwrap();
        assert_eq!(appended.len(), 100);
        for ten in appended.chunks(10) {
            assert!(ten.iter().all(|id| *id == ten[0]), "{appended:?}");
        }
        let mut left = lockutils::snapshot();
        left.retain(|lock| lock.space == locks.name());
        assert!(left.is_empty(), "{left:#?}");
    });
}

#[test]
fn one_call_ends_before_the_other_starts() {
    in_time(|| {
        let locks = Locks::new("interthread");
        let calls = Mutex::new(Vec::new());
        let inside = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = locks.key("foo").lock();
                inside.wait();
                calls.lock().unwrap().push("other");
                eventually("main waits", || {
                    let states = lockutils::snapshot();
                    let mut ours = states.iter().filter(|lock| lock.space == locks.name());
                    ours.any(|lock| lock.waiters == 1)
                });
                calls.lock().unwrap().push("other");
            });
            inside.wait();
            let _guard = locks.key("foo").lock();
            calls.lock().unwrap().extend(["main", "main"]);
        });
        let calls = calls.into_inner().unwrap();
        assert_eq!(calls, ["other", "other", "main", "main"]);
    });
}

#[test]
fn call_that_is_not_to_wait_does_not_run() {
    in_time(|| {
        let locks = Locks::new("nonblocking");
        let calls = AtomicUsize::new(0);
        let (inside, tried) = (Barrier::new(2), Barrier::new(2));
        let call = |body: &dyn Fn()| {
            let _guard = locks.key("foo").try_lock()?;
            calls.fetch_add(1, Ordering::SeqCst);
            body();
            Ok::<_, lockutils::Error>(())
        };
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                call(&|| {
                    inside.wait();
                    tried.wait();
                })
            });
            inside.wait();
            assert_eq!(call(&|| ()).unwrap_err().kind(), ErrorKind::Busy);
            tried.wait();
            assert!(other.join().unwrap().is_ok());
        });
        assert_eq!(calls.into_inner(), 1);
    });
}

/// The holder gives way inside, and its thread goes on with the other task: that is
/// not the holder, though it is the same thread.
#[test]
fn second_task_of_a_thread_waits() {
    in_time(|| {
        let shared = Arc::new((Locks::new("tasks"), Recorder::new()));
        let stay = || {
            let shared = Arc::clone(&shared);
            async move {
                let (locks, recorder) = &*shared;
                let _guard = locks.key("my-lock").lock_async().await;
                let _stay = recorder.enter();
                for _ in 0..10 {
                    yield_now().await;
                }
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let (first, second) = (tokio::spawn(stay()), tokio::spawn(stay()));
            first.await.unwrap();
            second.await.unwrap();
        });
        shared.1.assert_exclusive(2);
    });
}

/// Nor is one branch of a task the other, though they share the task as well.
#[test]
fn second_branch_of_a_task_waits() {
    in_time(|| {
        let locks = Locks::new("branches");
        let recorder = Recorder::new();
        let stay = async || {
            let _guard = locks.key("my-lock").lock_async().await;
            let _stay = recorder.enter();
            for _ in 0..10 {
                yield_now().await;
            }
        };
        pollster::block_on(futures::future::join(stay(), stay()));
        recorder.assert_exclusive(2);
    });
}

#[test]
fn half_of_the_threads_panic_and_the_others_run() {
    in_time(|| {
        let locks = Locks::new("chaos");
        let recorder = Recorder::new();
        let panicked: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|number| {
                    let (locks, recorder) = (&locks, &recorder);
                    scope.spawn(move || {
                        let _guard = locks.key("key").lock();
                        let _stay = recorder.enter();
                        assert!(number % 2 == 0, "chaos");
                    })
                })
                .collect();
            let ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
            ended.filter(Result::is_err).count()
        });
        assert_eq!(panicked, 10);
        recorder.assert_exclusive(20);
        assert!(!locks.key("key").is_locked());
    });
}
