//! What locks of every server promise when processes, servers or networks fail, as tests at real
//! servers.
//!
//! A [`Subject`] says which locks they are and at which server, and [`faults!`](crate::faults!) makes a
//! test of each of the [`cases`], as `conformance!` does of what every space must pass. Each has a
//! server of its own. The locks are [`Remote`], which is what the type of each engine's locks is
//! made of.
//!
//! Its other processes are the test's program once more, see `other`; each reaches the server through
//! a [`Proxy`] of its own, which tells when a question has gone there.

pub mod cases;
mod other;

use std::marker::PhantomData;
use std::time::Duration;

use lockutils::{Error, ErrorKind, LeaseGuard};
use lockutils_conformance::{eventually, in_time};
use lockutils_remote::{FromUrl, Remote};

use crate::proxy::Proxy;
use crate::server::{Kind, Server};
use other::Other;

/// A lease to be waited for, which is renewed in time where the machine stands still for five seconds.
const LEASE: Duration = Duration::from_secs(9);

/// How long a server may be silent where that is waited for. Before, it has to answer on a busy machine.
const SILENCE: Duration = Duration::from_secs(10);

/// A lease that doesn't end while a test runs.
const LONG: Duration = Duration::from_secs(600);

/// The key of most cases.
const KEY: &str = "key";

/// Locks that are tested, and what is particular to them.
pub trait Subject: 'static {
    /// Where they are.
    type Server: Kind + 'static;

    /// The engine.
    type Store: FromUrl;

    /// Whether a hold outlives the connection that it was got by. If not, the server frees it when
    /// that ends, and the holder is told at once.
    const OUTLIVES_CONNECTION: bool = true;
}

/// A case being run, with a server of its own.
#[derive(Debug)]
pub struct Test<S: Subject> {
    name: &'static str,
    server: Server<S::Server>,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Test<S> {
    /// A space at the server, which waits for answers as long as it takes on a busy machine.
    fn locks(&self, lease: Duration) -> Remote<S::Store> {
        at::<S>(self.server.port(), lease).answer_timeout(LONG)
    }

    /// One that reaches the server through a proxy, and has done so, so that it doesn't
    /// connect when it asks again.
    fn through_proxy(&self, lease: Duration) -> (Proxy, Remote<S::Store>) {
        let proxy = Proxy::to(self.server.port());
        let locks = at::<S>(proxy.port(), lease).answer_timeout(LONG);
        locks.key("warm").lock().unwrap().release().unwrap();
        (proxy, locks)
    }

    /// Starts another process with a space at the server.
    fn other(&self, lease: Duration) -> Other {
        Other::start(self.name, self.server.port(), lease)
    }

    /// Waits until nothing is held at the server, nor waited for.
    fn nothing_is_left(&self) {
        let locks = self.locks(LONG);
        let states = || locks.states().unwrap();
        eventually("nothing is left", || states().is_empty());
    }
}

fn at<S: Subject>(port: u16, lease: Duration) -> Remote<S::Store> {
    let url = S::Server::url(port);
    Remote::new(&url).unwrap().ttl(lease)
}

fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

fn wait_for_loss(guard: &LeaseGuard) {
    pollster::block_on(guard.lost());
    assert!(guard.is_lost());
}

/// Runs a case, or does as it is told where this is the other process of one. `name` is the test's
/// whole path, from the crate on.
///
/// # Panics
///
/// If the locks fail it.
pub fn run<S: Subject>(name: &'static str, case: fn(&Test<S>)) {
    // The test harness calls its tests by their path inside of the crate.
    let name = name.split_once("::").map_or(name, |(_crate, path)| path);
    if let Some(locks) = other::locks::<S>() {
        return other::obey::<S>(&locks);
    }
    if Server::<S::Server>::available() {
        case(&Test {
            name,
            server: Server::start(),
            subject: PhantomData,
        });
    }
}

/// The same within a limit.
///
/// # Panics
///
/// If the locks fail it, or it doesn't end.
pub fn run_in_time<S: Subject>(name: &'static str, case: fn(&Test<S>)) {
    in_time(move || run(name, case));
}

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
