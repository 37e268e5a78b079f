//! Waiting with a limit.
//!
//! No test sleeps to put things in order. It waits for a condition, and if that
//! doesn't come about within [`LIMIT`] it fails with the locks' state.

use std::convert::Infallible;
use std::future;
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for anything. On a sound lock nothing takes near so long,
/// however busy the machine is.
pub const LIMIT: Duration = Duration::from_secs(300);

/// How often [`eventually`] looks at what doesn't come at once.
const NAP: Duration = Duration::from_millis(1);

/// Runs a test's body on a thread of its own.
///
/// # Panics
///
/// As the body does, and if the body takes longer than [`LIMIT`]: then somebody
/// waits for a lock that nobody will give up.
pub fn in_time<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, is_done) = mpsc::channel::<Infallible>();
    let name = thread::current().name().unwrap_or("test").to_owned();
    let run = move || {
        // Dropped when the body ends, also by a panic.
        let _done = done;
        body()
    };
    let body = thread::Builder::new().name(name).spawn(run).unwrap();
    // Nothing is ever sent: the end of the channel is the end of the body.
    assert!(
        is_done.recv_timeout(LIMIT) == Err(RecvTimeoutError::Disconnected),
        "not done in {LIMIT:?}; {}",
        locks()
    );
    body.join()
        .unwrap_or_else(|panic| panic::resume_unwind(panic))
}

/// Waits until `condition` is true.
///
/// # Panics
///
/// If it isn't within [`LIMIT`].
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < LIMIT,
            "{what}: not in {LIMIT:?}; {}",
            locks()
        );
        // Soon seen, and then without keeping a processor from those that it waits for.
        if start.elapsed() < NAP {
            thread::yield_now();
        } else {
            thread::sleep(NAP);
        }
    }
}

/// Waits until the server, or whoever knows, has said who has a lock that somebody in this process
/// waits for: one of a space that is called so. Errors name the holder from then on.
///
/// # Panics
///
/// If it isn't said within [`LIMIT`].
pub fn until_holder_is_told(space: &str) {
    eventually("it is told who has the lock", || {
        let locks = lockutils::snapshot();
        let mut holders = { locks.iter() }
            .filter(|lock| lock.space == space)
            .flat_map(|lock| &lock.holders);
        // Those in the process have no host.
        holders.any(|holder| holder.host().is_some())
    });
}

/// The state of the locks, as far as it can be had: what keeps a test from its end
/// may be in the registry itself.
fn locks() -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(format!("locks: {:#?}", lockutils::snapshot())));
    let answer = receiver.recv_timeout(Duration::from_secs(1));
    answer.unwrap_or_else(|_| "the registry does not answer".to_owned())
}

/// Lets the other tasks of the thread run, under any executor.
pub async fn yield_now() {
    let mut yielded = false;
    future::poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
