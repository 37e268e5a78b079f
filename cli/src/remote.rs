//! Locks of a server, and a command under them.
//!
//! They can be lost while the command runs. A thread waits for that, and ends it; and the kernel ends
//! it if we are killed, since nobody renews the lock then.
//!
//! Somebody who waits for such a lock can have a place in the server's queue, which is to be left when
//! a signal ends the wait: else those behind it would wait for a lease. So signals are listened to all
//! the time.

use crate::ancestor::{self, HeldAbove};
use crate::args::RunArgs;
use crate::child::{self, Limit};
use crate::exit;
use crate::signal::{self, Signals};
use crate::taking::{self, Locks};
use anyhow::{Context as _, Result};
use lockutils::engine::Sharable;
use lockutils::{AsyncLeaseGuard, Error, ErrorKind, Holder, KeysHandle};
use lockutils_any::Any;
use lockutils_remote::{Remote, Store};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::low_level::emulate_default_handler;
use std::ffi::OsString;
use std::pin::pin;
use std::process::{self, ExitCode};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a server may take for the last releases, whatever it may for other answers, after which they are left to the
/// lease.
const LAST: Duration = Duration::from_secs(5);

/// How long a command has to end after it was told to.
const GRACE: Duration = Duration::from_secs(5);

/// How long a server may take when the caller's time is over: for who has the lock, which is for a text, and to hear that
/// it is wanted no more.
const EXTRA: Duration = Duration::from_secs(1);

/// How long until it is looked again whether a signal has come, or the time is over.
const NAP: Duration = Duration::from_millis(20);

/// Makes the handle of some keys one for the hold that is asked for.
type Hold<S> = for<'a> fn(KeysHandle<'a, Remote<S>>) -> KeysHandle<'a, Remote<S>>;

/// The locks of a server, while signals are listened to.
struct Server<S: Store> {
    locks: Remote<S>,
    hold: Hold<S>,
    signals: Mutex<Signals>,
    /// When the time is over that the caller has, if it is limited. Of none at all it is one try, which takes as long as
    /// the server does.
    end: Option<Instant>,
}

/// Runs the command under the locks, and releases them.
pub(crate) fn run(args: &RunArgs, command: &str, locks: Remote<Any>) -> Result<ExitCode> {
    if let (Any::Memory(_), false) = (locks.store(), args.quiet) {
        exit::say(
            "`memory://` is the memory of this process, and excludes no other one; for that, use the URL \
             of PostgreSQL, etcd or Redis",
        );
    }
    if !args.shared {
        return under(args, command, locks, |keys| keys);
    }
    match locks.store() {
        Any::Memory(store) => shared(args, command, &locks, store),
        Any::Postgres(store) => shared(args, command, &locks, store),
        _ => {
            let text = "`--shared` is for lock files and PostgreSQL; this server has no such holds";
            Err(exit::usage(text))
        }
    }
}

#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is of one lifetime"
)]
fn shared<S: Store + Sharable + Clone>(
    args: &RunArgs,
    command: &str,
    locks: &Remote<Any>,
    store: &S,
) -> Result<ExitCode> {
    let settings = locks.settings();
    let locks = Remote::of(store.clone())
        .prefix(&settings.prefix)
        .answer_timeout(settings.answer_timeout);
    under(args, command, locks, |keys| keys.shared())
}

fn under<S: Store>(
    args: &RunArgs,
    command: &str,
    locks: Remote<S>,
    hold: Hold<S>,
) -> Result<ExitCode> {
    let mut locks = locks.command(command);
    if let Some(ttl) = args.ttl {
        let shape = locks.store().shape();
        let checked = shape.check_lease(ttl);
        checked.map_err(|wrong| exit::usage(&format!("`--ttl` can't be had: {wrong}")))?;
        locks = locks.ttl(ttl);
    }
    let signals = signal::listen().context("can't listen to signals")?;
    let server = Server {
        locks: locks.clone(),
        hold,
        signals: Mutex::new(signals),
        end: { args.timeout.filter(|timeout| !timeout.is_zero()) }
            .and_then(|timeout| Instant::now().checked_add(timeout)),
    };
    let taken = taking::take(args, &server);
    let code = match taken {
        Ok(Ok(guard)) => {
            let signals = server.signals.into_inner().expect("no panic");
            return supervised(args, &locks, guard, signals);
        }
        Ok(Err(conflict)) => Ok(taking::given_up(args, &server, &conflict)),
        Err(error) => Err(error),
    };
    // What was asked for and is wanted no more.
    let _ = locks.close(server.end.map_or(LAST, |_| EXTRA));
    code
}

fn supervised<S: Store>(
    args: &RunArgs,
    locks: &Remote<S>,
    guard: AsyncLeaseGuard,
    signals: Signals,
) -> Result<ExitCode> {
    let environment = [
        ("LOCKUTILS_KEY", args.keys.join("\n".as_ref())),
        ("LOCKUTILS_FENCE", guard.fence().to_string().into()),
    ];
    let lost = guard.lost();
    let limit = Limit {
        wait: Box::new(|| {
            pollster::block_on(lost);
            exit::say("the lock is lost, so the command is ended");
        }),
        grace: args.grace.unwrap_or(GRACE),
    };
    let code = child::run_within(limit, signals, &args.command, &environment);
    let end = Instant::now() + LAST;
    let is_late = || (Instant::now() >= end).then_some(());
    // The command's status is what one wants to know, unless the lock was lost meanwhile.
    let code = match wait(guard.release_async(), is_late) {
        Ok(Ok(())) => code,
        Ok(Err(error)) if error.kind() == ErrorKind::Lost => code.and(Err(error.into())),
        Ok(Err(error)) => {
            exit::say(exit::with_cause(&error));
            code
        }
        Err(()) => {
            let keys = args.keys.join(", ".as_ref());
            exit::say(format_args!(
                "the server has not answered to the release of {keys:?} within {LAST:?}; it is free at the \
                 end of its lease, if not before"
            ));
            code
        }
    };
    // What was lost, or not released yet, is released as well, and the connection ended.
    let _ = locks.close(end.saturating_duration_since(Instant::now()));
    code
}

/// Waits for a future, unless a look now and then finds a reason not to.
fn wait<T, E>(
    future: impl Future<Output = T>,
    mut look: impl FnMut() -> Option<E>,
) -> Result<T, E> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(ready) = future.as_mut().poll(&mut context) {
            return Ok(ready);
        }
        if let Some(reason) = look() {
            return Err(reason);
        }
        thread::park_timeout(NAP);
    }
}

impl<S: Store> Locks for Server<S> {
    type Guard = AsyncLeaseGuard;

    fn try_lock(&self, args: &RunArgs) -> Result<AsyncLeaseGuard, Error> {
        let tried = (self.hold)(self.locks.keys(&args.keys)).try_lock_async();
        match self.left() {
            Some(left) => self.wait(tried.within(left)),
            None => self.wait(tried),
        }
    }

    fn lock(&self, args: &RunArgs) -> Result<AsyncLeaseGuard, Error> {
        let locks = (self.hold)(self.locks.keys(&args.keys));
        match self.left() {
            // Of no time at all it would be one try, which has no limit.
            Some(left) => self.wait(locks.lock_timeout_async(left.max(NAP))),
            None => self.wait(locks.lock_async()),
        }
    }

    /// Nobody waits for long for the end of a sentence, nor for a line when the time is over.
    fn holder(&self, key: &OsString) -> Option<Holder> {
        let start = Instant::now();
        let begin = self.end.map_or(start, |end| end.min(start));
        self.look(key, || begin.elapsed() >= EXTRA)
    }

    fn held_above(&self, args: &RunArgs) -> Option<HeldAbove> {
        let is_late = || self.left() == Some(Duration::ZERO);
        ancestor::among_holders(&args.keys, |key| self.look(key, is_late))
    }
}

impl<S: Store> Server<S> {
    /// How much time there is yet, if it is limited.
    fn left(&self) -> Option<Duration> {
        let end = self.end?;
        Some(end.saturating_duration_since(Instant::now()))
    }

    /// Who has the lock of a key, unless the answer comes too late.
    fn look(&self, key: &OsString, is_late: impl Fn() -> bool) -> Option<Holder> {
        let answer = wait(self.locks.state_async(key), || is_late().then_some(()));
        answer.ok()?.ok()??.holders.into_iter().next()
    }

    /// Waits for a lock, unless a signal ends this process meanwhile. One that comes later than the
    /// lock is there for the command.
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let mut signals = self.signals.lock().expect("no panic");
        let ending = || {
            let mut sent = signals.pending().filter(signal::was_sent);
            sent.find_map(|origin| ends(origin.signal))
        };
        let ending = match wait(future, ending) {
            Ok(ready) => return ready,
            Err(ending) => ending,
        };
        // The queue was left, and the server is to hear of it.
        let _ = self.locks.close(LAST);
        let _ = emulate_default_handler(ending);
        process::exit(exit::KILLED + ending);
    }
}

/// A signal that is to end the wait; others do what they do.
fn ends(signal: i32) -> Option<i32> {
    if [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(&signal) {
        return Some(signal);
    }
    let _ = emulate_default_handler(signal);
    None
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
