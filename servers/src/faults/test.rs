//! One case, run at one server.

use std::marker::PhantomData;
use std::time::Duration;

use lockutils_conformance::{eventually, in_time};
use lockutils_remote::Remote;

use super::other::{self, Other};
use super::subject::{LONG, Subject, at};
use crate::proxy::Proxy;
use crate::server::Server;

/// A case being run, with a server of its own.
#[derive(Debug)]
pub struct Test<S: Subject> {
    name: &'static str,
    pub(crate) server: Server<S::Server>,
    subject: PhantomData<fn() -> S>,
}

impl<S: Subject> Test<S> {
    /// A space at the server, which waits for answers as long as it takes on a busy machine.
    pub(crate) fn locks(&self, lease: Duration) -> Remote<S::Store> {
        at::<S>(self.server.port(), lease).answer_timeout(LONG)
    }

    /// One that reaches the server through a proxy, and has done so, so that it doesn't
    /// connect when it asks again.
    pub(crate) fn through_proxy(&self, lease: Duration) -> (Proxy, Remote<S::Store>) {
        let proxy = Proxy::to(self.server.port());
        let locks = at::<S>(proxy.port(), lease).answer_timeout(LONG);
        locks.key("warm").lock().unwrap().release().unwrap();
        (proxy, locks)
    }

    /// Starts another process with a space at the server.
    pub(crate) fn other(&self, lease: Duration) -> Other {
        Other::start(self.name, self.server.port(), lease)
    }

    /// Waits until nothing is held at the server, nor waited for.
    pub(crate) fn nothing_is_left(&self) {
        let locks = self.locks(LONG);
        let states = || locks.states().unwrap();
        eventually("nothing is left", || states().is_empty());
    }
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
