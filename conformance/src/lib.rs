//! What every lock space of [`lockutils`] must pass, as tests for those who write a lock engine, or a
//! type that wraps a space.
//!
//! A [`Subject`] says how a space is made and what it can do, and [`conformance!`] makes a test of
//! each of the [`cases`]:
//!
//! ```
//! use lockutils::FileLocks;
//! use lockutils_conformance::{Subject, conformance};
//! use std::path::Path;
//!
//! struct Files;
//!
//! impl Subject for Files {
//!     type Space = FileLocks;
//!
//!     const ACROSS_PROCESSES: bool = true;
//!     const EMPTY_KEY: bool = false;
//!
//!     fn space(place: &Path) -> FileLocks {
//!         FileLocks::new(place)
//!     }
//! }
//!
//! conformance!(Files);
//! ```
//!
//! That belongs into a test, in a module of its own, so `cargo test` runs it. It needs the test
//! harness that `cargo test` has by itself: cases about several processes start the test's own
//! program again, and have it run the same test, where it does what the first process tells it.
//!
//! A case that needs a capability that the space lacks is skipped, and says so; no capability
//! changes what a case checks. What a test waits for, it waits for with a [`LIMIT`], so a lock that
//! nobody gets is a failure and not a test without an end.
//!
//! The cases call the trait [`Space`](lockutils::engine::Space), as expanded code and the handles
//! do. What is particular to an engine they can't know: what its files or tables look like, what
//! its holders are called in texts, what happens when its server fails. To test that, there
//! is here what the cases themselves use. A [`Recorder`] proves exclusion; [`ByHand`] polls a
//! future step by step; [`Lockstep`] brings two threads to one point at the same time; a
//! [`Process`] is told line by line what to do; [`eventually`] and [`in_time`] wait with a limit.

#![forbid(unsafe_code)]

mod by_hand;
pub mod cases;
mod limit;
mod lockstep;
mod other;
mod process;
mod recorder;
mod skip;
mod subject;
mod take;
mod test;

pub use by_hand::ByHand;
pub use limit::{LIMIT, eventually, in_time, until_holder_is_told, yield_now};
pub use lockstep::Lockstep;
pub use other::told_by_the_first;
pub use process::{Process, is_stopped, thread_states};
pub use recorder::{Recorder, Stay};
pub use skip::skip;
pub use subject::Subject;
pub use test::Test;
#[doc(hidden)]
pub use test::run;

/// Makes a test of each of the [`cases`], for the [`Subject`] that is named.
///
/// The tests have the names of the cases, so a module has room for one subject.
#[macro_export]
macro_rules! conformance {
    ($subject:ty) => {
        // Behind each case, what it needs.
        $crate::conformance! { @ $subject:
            same_key_excludes_threads []
            same_key_excludes_tasks []
            same_key_excludes_threads_and_tasks []
            key_tried_by_two_threads_at_once_goes_to_one []
            different_keys_overlap_between_threads []
            different_keys_overlap_between_tasks_of_one_thread []
            different_keys_overlap_between_thread_and_task []
            one_thread_holds_many_keys_at_once []
            space_by_reference_is_the_same_space []
            async_waiter_does_not_stall_its_thread []
            blocked_thread_is_freed_by_a_task []
            tasks_need_no_tokio []

            drop_releases []
            async_guard_is_released_on_another_thread []
            try_on_a_held_key_is_busy []
            try_is_busy_for_the_holder_too []
            try_of_a_task_is_busy_or_has_the_lock []
            panic_of_a_thread_releases []
            panic_of_a_task_releases []

            future_that_was_not_polled_holds_nothing []
            cancelled_holder_releases []
            cancelled_waiter_leaves_queue []
            cancelled_waiter_lets_those_behind_it_through []
            dropped_waiters_lose_no_hand_over []

            equal_text_is_one_lock_whatever_the_type []
            different_text_is_another_lock [DISTINCT_KEYS]
            empty_key_is_a_lock [EMPTY_KEY]
            long_key_is_a_lock [LONG_KEYS]

            shared_holders_are_inside_together [SHARED]
            shared_and_exclusive_holders_exclude_each_other []
            reentrant_thread_goes_straight_in []

            blocking_wait_times_out []
            async_wait_times_out []
            wait_that_times_out_leaves_queue []
            lock_that_is_released_in_time_is_had []
            no_time_at_all_is_one_try []
            time_that_is_too_short_leaves_the_lock_free []

            keys_are_held_together [SEVERAL_KEYS]
            keys_in_any_order_do_not_deadlock [SEVERAL_KEYS]
            keys_that_are_not_all_free_are_not_tried_in_part [SEVERAL_KEYS]
            cancelled_wait_for_keys_holds_none [SEVERAL_KEYS]

            fence_rises_over_clean_release [FENCE]
            fence_rises_over_a_loss [FENCE LOSS]
            keys_have_a_fence_each [FENCE SEVERAL_KEYS]
            loss_is_told [LOSS]
            loss_is_told_to_a_task [LOSS]
            loss_is_seen_by_who_looks [LOSS]
            release_is_no_loss [LOSS]
            release_waits_until_the_lock_is_free [LOSS]
            loss_of_one_of_several_keys_is_told [LOSS SEVERAL_KEYS]
            lost_hold_is_not_shared [LOSS]
            asker_that_goes_leaves_the_lock_free []

            spaces_at_one_place_exclude_each_other [ACROSS_PROCESSES]
            processes_exclude_each_other [ACROSS_PROCESSES]
            other_process_is_refused_until_the_release [ACROSS_PROCESSES]
            holder_is_named_to_who_is_refused [ACROSS_PROCESSES NAMES_HOLDER]
            other_process_waits_for_the_release [ACROSS_PROCESSES]
            task_that_waits_for_a_process_does_not_stall_its_thread [ACROSS_PROCESSES]
            cancelled_wait_for_a_process_holds_nothing [ACROSS_PROCESSES]
            processes_share_a_lock [ACROSS_PROCESSES SHARED]
            keys_in_any_order_do_not_deadlock_across_processes [ACROSS_PROCESSES SEVERAL_KEYS]
            killed_waiter_leaves_the_lock_to_others [ACROSS_PROCESSES]
            killed_holder_frees_the_lock [ACROSS_PROCESSES FREED_BY_DEATH]
        }
    };
    (@ $subject:ty: $($case:ident [$($need:ident)*])*) => {$(
        #[test]
        fn $case() {
            $crate::run::<$subject>(
                ::core::concat!(::core::module_path!(), "::", ::core::stringify!($case)),
                &[$((::core::stringify!($need), <$subject as $crate::Subject>::$need)),*],
                $crate::cases::$case,
            );
        }
    )*};
}
