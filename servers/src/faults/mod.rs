//! What locks of every server promise when processes, servers or networks fail, as tests at real
//! servers.
//!
//! A [`Subject`] says which locks they are and at which server, and [`faults!`](crate::faults!) makes a
//! test of each of the [`cases`], as `conformance!` does of what every space must pass. Each has a
//! server of its own. The locks are [`Remote`](lockutils_remote::Remote), which is what the type of each engine's locks is
//! made of.
//!
//! Its other processes are the test's program once more, see `other`; each reaches the server through
//! a [`Proxy`](crate::Proxy) of its own, which tells when a question has gone there.

pub mod cases;
mod other;
mod record;
mod subject;
mod test;

pub use subject::Subject;
pub use test::{Test, run, run_in_time};

/// Makes a test of each of the [`cases`](crate::faults::cases), for the
/// [`Subject`](crate::faults::Subject) that is named.
///
/// The tests have the names of the cases, so a module has room for one subject.
#[macro_export]
macro_rules! faults {
    ($subject:ty) => {
        $crate::faults! { @ $subject, run_in_time:
            killed_holder_frees_the_lock
            stopped_holder_loses_the_lock_and_knows_when_it_wakes_up
            stopped_or_killed_waiter_is_in_nobodys_way
            lock_goes_from_process_to_process
            child_of_a_fork_has_nothing_of_its_parent

            stopped_server_has_locks_lost_and_callers_told
            waiter_outlives_a_restart
            hold_is_lost_with_the_data

            question_that_is_cut_off_is_asked_again
            grant_that_is_cut_off_is_had_all_the_same
            release_that_is_cut_off_is_made_all_the_same
            release_whose_answer_is_cut_off_is_over
            hold_outlives_its_connection_or_is_lost_with_it
            waiter_outlives_its_connection
            silent_server_is_an_error_and_what_it_did_is_undone
            a_hundred_waiters_of_a_process_ask_one_at_a_time
            two_thousand_keys_are_held_by_one_connection

            leases_and_silences_of_every_length_are_taken
        }
        // For as long as a variable says.
        $crate::faults! { @ $subject, run:
            nobody_believes_what_another_does_under_random_faults
        }
    };
    (@ $subject:ty, $run:ident: $($case:ident)*) => {$(
        #[test]
        fn $case() {
            $crate::faults::$run::<$subject>(
                ::core::concat!(::core::module_path!(), "::", ::core::stringify!($case)),
                $crate::faults::cases::$case,
            );
        }
    )*};
}
