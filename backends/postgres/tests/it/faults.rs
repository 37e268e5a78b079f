//! Servers, networks and processes that fail.

use std::future;
use std::sync::mpsc::{self, Sender};
use std::thread;

use lockutils::{Error, ErrorKind, LeaseGuard, synchronized};
use lockutils_conformance::{eventually, in_time};
use lockutils_postgres::{Postgres, PostgresLocks};
use lockutils_servers::{Postgres as Server, PostgresKind, faults};

use crate::locks::locks;
use crate::session::{held, run, terminate};

struct Locks;

impl faults::Subject for Locks {
    type Server = PostgresKind;
    type Store = Postgres;

    const OUTLIVES_CONNECTION: bool = false;
}

faults!(Locks);

fn with_server(test: impl FnOnce(Server) + Send + 'static) {
    if Server::available() {
        in_time(|| test(Server::start()));
    }
}

fn kind<G>(result: Result<G, Error>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

fn wait_for_loss(guard: &LeaseGuard) {
    pollster::block_on(guard.lost());
    assert!(guard.is_lost());
}

#[test]
fn session_that_is_terminated_is_lost_at_once_and_made_again() {
    with_server(|server| {
        let locks = locks(&server);
        let (one, two) = (
            locks.key("a").lock().unwrap(),
            locks.key("b").lock().unwrap(),
        );
        run(terminate(&server));
        for guard in [&one, &two] {
            wait_for_loss(guard);
        }
        // In the process its place is taken until it is dropped.
        let other = self::locks(&server);
        let again = other.key("a").lock().unwrap();
        assert!(again.fence() > one.fence());
        // What is lost is released without touching what others have.
        assert_eq!(kind(one.release()), ErrorKind::Lost);
        assert!(!again.is_lost() && run(held(&server)) > 0);
        again.release().unwrap();
        eventually("nothing is left", || run(held(&server)) == 0);
    });
}

#[test]
fn body_is_dropped_when_the_lock_is_lost() {
    #[synchronized("a", locks = locks, cancel_on_loss)]
    async fn work(locks: &PostgresLocks, begun: &Sender<()>) -> Result<(), Error> {
        begun.send(()).unwrap();
        future::pending().await
    }

    with_server(|server| {
        let locks = locks(&server);
        let (tell, begun) = mpsc::channel();
        let worker = thread::spawn(move || pollster::block_on(work(&locks, &tell)));
        begun.recv().unwrap();
        run(terminate(&server));
        assert_eq!(kind(worker.join().unwrap()), ErrorKind::Lost);
    });
}
