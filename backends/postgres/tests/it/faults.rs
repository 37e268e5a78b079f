//! Servers, networks and processes that fail.

use std::future;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use lockutils::{Error, ErrorKind, LeaseGuard, synchronized};
use lockutils_conformance::{Process, eventually, in_time};
use lockutils_postgres::PostgresLocks;
use lockutils_servers::{Postgres, Proxy};
use rustix::process::{Pid, Signal, kill_process};

use crate::other;
use crate::session::{held, run, terminate, through};

/// A lease to be waited for.
const SHORT: Duration = Duration::from_secs(2);

/// A lease that doesn't end while a test runs.
const LONG: Duration = Duration::from_secs(600);

fn with_server(test: impl FnOnce(Postgres) + Send + 'static) {
    if Postgres::available() {
        in_time(|| test(Postgres::start()));
    }
}

fn locks(url: &str, ttl: Duration) -> PostgresLocks {
    PostgresLocks::new(url).unwrap().ttl(ttl)
}

fn kind<G>(result: Result<G, Error>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

fn is_held(server: &Postgres) -> bool {
    run(held(server)) > 0
}

fn wait_for_loss(guard: &LeaseGuard) {
    pollster::block_on(guard.lost());
    assert!(guard.is_lost());
}

fn signal(process: &Process, signal: Signal) {
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.unwrap(), signal).unwrap();
}

#[test]
fn killed_holder_frees_the_lock_at_once() {
    with_server(|server| {
        let locks = locks(&server.url(), LONG);
        let mut holder = other::start(&server.url(), LONG);
        holder.ask_for("hold a", "asks");
        let fence: u64 = holder.hear_of("held").parse().unwrap();
        let waiter = thread::spawn({
            let locks = locks.clone();
            move || locks.key("a").lock().unwrap().fence().get()
        });
        eventually("it waits", || locks.states().unwrap()[0].waiters == 1);
        holder.kill();
        assert!(waiter.join().unwrap() > fence);
    });
}

#[test]
fn stopped_holder_loses_the_lock_after_its_lease_and_knows_when_it_wakes_up() {
    with_server(|server| {
        let locks = locks(&server.url(), LONG);
        let mut holder = other::start(&server.url(), SHORT);
        holder.ask_for("hold a", "asks");
        let fence: u64 = holder.hear_of("held").parse().unwrap();
        thread::sleep(SHORT);
        assert_eq!(holder.ask("state"), "valid", "it is renewed");
        signal(&holder, Signal::STOP);
        let stopped = Instant::now();
        let guard = locks.key("a").lock().unwrap();
        assert!(stopped.elapsed() > SHORT / 2, "{:?}", stopped.elapsed());
        assert!(guard.fence().get() > fence);
        signal(&holder, Signal::CONT);
        assert_eq!(holder.ask("state"), "lost");
        assert_eq!(holder.ask("release"), "lost");
        assert!(!guard.is_lost());
        guard.release().unwrap();
        holder.ask_for("hold a", "asks");
        holder.hear_of("held");
    });
}

#[test]
fn stopped_or_killed_waiter_is_in_nobodys_way() {
    with_server(|server| {
        let locks = locks(&server.url(), LONG);
        let [mut stopped, mut killed] = [(); 2].map(|()| other::start(&server.url(), SHORT));
        let guard = locks.key("a").lock().unwrap();
        stopped.ask_for("hold a", "asks");
        killed.ask_for("hold a", "asks");
        eventually("they wait", || locks.states().unwrap()[0].waiters == 2);
        signal(&stopped, Signal::STOP);
        killed.kill();
        guard.release().unwrap();
        let guard = locks.key("a").lock().unwrap();
        // Its session ends with its lease, and it asks again by another.
        eventually("nobody waits", || locks.states().unwrap()[0].waiters == 0);
        signal(&stopped, Signal::CONT);
        drop(guard);
        stopped.hear_of("held");
        assert_eq!(stopped.ask("release"), "released");
    });
}

#[test]
fn stopped_server_has_locks_lost_and_callers_told() {
    with_server(|server| {
        let locks = locks(&server.url(), SHORT).answer_timeout(SHORT);
        let guard = locks.key("a").lock().unwrap();
        server.stop();
        let begun = Instant::now();
        let waiter = thread::spawn({
            let locks = locks.clone();
            move || locks.key("b").lock().map(drop).unwrap_err()
        });
        let timeout = Duration::from_millis(300);
        let kinds = [ErrorKind::Timeout, ErrorKind::Unavailable];
        assert!(kinds.contains(&kind(locks.key("c").lock_timeout(timeout))));
        wait_for_loss(&guard);
        assert!(begun.elapsed() < 10 * SHORT, "{:?}", begun.elapsed());
        let error = waiter.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let name = format!("127.0.0.1:{}", server.port());
        assert!(error.to_string().contains(&name), "{error}");
        assert_eq!(kind(locks.states()), ErrorKind::Unavailable);
        let fence = guard.fence();
        assert_eq!(kind(guard.release()), ErrorKind::Lost);
        server.go_on();
        let mut again = None;
        eventually("it answers", || {
            again = locks.key("a").lock().ok();
            again.is_some()
        });
        assert!(again.unwrap().fence() > fence);
        eventually("nothing is left", || !is_held(&server));
    });
}

#[test]
fn restarted_server_has_locks_lost_at_once_and_waiters_served() {
    with_server(|server| {
        let locks = locks(&server.url(), LONG).answer_timeout(LONG);
        let guard = locks.key("a").lock().unwrap();
        let waiter = {
            let locks = PostgresLocks::new(&server.url()).unwrap();
            let locks = locks.answer_timeout(LONG);
            thread::spawn(move || locks.key("a").lock().unwrap().fence())
        };
        eventually("it waits", || locks.states().unwrap()[0].waiters == 1);
        server.kill();
        wait_for_loss(&guard);
        server.restart();
        assert!(waiter.join().unwrap() > guard.fence());
        assert_eq!(kind(guard.check()), ErrorKind::Lost);
        drop(guard);
        eventually("nothing is left", || !is_held(&server));
    });
}

#[test]
fn session_that_is_terminated_is_lost_at_once_and_made_again() {
    with_server(|server| {
        let locks = locks(&server.url(), LONG);
        let (one, two) = (
            locks.key("a").lock().unwrap(),
            locks.key("b").lock().unwrap(),
        );
        run(terminate(&server));
        for guard in [&one, &two] {
            wait_for_loss(guard);
        }
        // In the process its place is taken until it is dropped.
        let other = PostgresLocks::new(&server.url()).unwrap();
        let again = other.key("a").lock().unwrap();
        assert!(again.fence() > one.fence());
        // What is lost is released without touching what others have.
        assert_eq!(kind(one.release()), ErrorKind::Lost);
        assert!(!again.is_lost() && is_held(&server));
        again.release().unwrap();
        eventually("nothing is left", || !is_held(&server));
    });
}

/// The network breaks at each moment of a hold, and nothing stays held, and who waits is served.
#[test]
fn cut_connection_leaves_nothing_held() {
    with_server(|server| {
        let proxy = Proxy::to(server.port());
        let locks = locks(&through(&server, &proxy), LONG).answer_timeout(LONG);
        let ask = |key: &'static str| {
            let locks = locks.clone();
            thread::spawn(move || pollster::block_on(locks.key(key).lock_async()).unwrap())
        };
        drop(locks.key("warm").lock().unwrap());

        // Before the grant: the question doesn't arrive.
        proxy.stall();
        let asker = ask("a");
        eventually("it has asked", || !asker.is_finished());
        proxy.cut();
        proxy.mend();
        asker.join().unwrap().release().unwrap();

        // After it: the answer doesn't.
        proxy.drop_answers(1);
        let asker = ask("b");
        eventually("it is cut", || !is_open(&proxy));
        proxy.mend();
        let guard = asker.join().unwrap();
        assert!(!guard.is_lost());

        // Before the release's answer, and the release is over all the same.
        proxy.drop_answers(1);
        let releaser = thread::spawn(move || guard.release());
        eventually("it is cut", || !is_open(&proxy));
        proxy.mend();
        drop(releaser.join().unwrap());
        eventually("nothing is left", || !is_held(&server));

        // While it is held.
        let guard = locks.key("c").lock().unwrap();
        proxy.cut();
        wait_for_loss(&guard);
        drop(guard);
        eventually("the server knows", || !is_held(&server));
        proxy.mend();
        locks.key("c").lock().unwrap().release().unwrap();
        locks.close(LONG).unwrap();
        eventually("nothing is left", || !is_held(&server));
    });
}

fn is_open(proxy: &Proxy) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", proxy.port())).is_ok()
}

#[test]
fn silent_server_is_an_error_and_what_it_did_is_undone() {
    with_server(|server| {
        let proxy = Proxy::to(server.port());
        let url = through(&server, &proxy).replace("postgres@", "postgres:hunter2@");
        let locks = locks(&url, LONG).answer_timeout(Duration::from_secs(1));
        drop(locks.key("warm").lock().unwrap());
        proxy.stall_answers();
        let begun = Instant::now();
        let error = locks.key("a").lock().map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{:?}",
            begun.elapsed()
        );
        let text = format!("{error} {error:?}");
        assert!(
            text.contains("127.0.0.1") && !text.contains("hunter2"),
            "{text}"
        );
        proxy.flow();
        eventually("it is undone", || !is_held(&server));
        locks.key("a").lock().unwrap().release().unwrap();
        assert!(!is_held(&server));
    });
}

#[test]
fn lock_goes_from_process_to_process() {
    with_server(|server| {
        let mut processes = [(); 3].map(|()| other::start(&server.url(), SHORT));
        let mut last = 0;
        processes[0].ask_for("hold a", "asks");
        for turn in 0..30 {
            let [this, next] = [turn % 3, (turn + 1) % 3];
            let fence: u64 = processes[this].hear_of("held").parse().unwrap();
            assert!(fence > last, "{fence} after {last}");
            last = fence;
            processes[next].ask_for("hold a", "asks");
            assert_eq!(processes[this].ask("release"), "released");
        }
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
        let locks = locks(&server.url(), LONG);
        let (tell, begun) = mpsc::channel();
        let worker = thread::spawn(move || pollster::block_on(work(&locks, &tell)));
        begun.recv().unwrap();
        run(terminate(&server));
        assert_eq!(kind(worker.join().unwrap()), ErrorKind::Lost);
    });
}

#[test]
fn a_hundred_waiters_of_a_process_ask_one_at_a_time() {
    with_server(|server| {
        let proxy = Proxy::to(server.port());
        let locks = locks(&through(&server, &proxy), LONG);
        let guard = locks.key("a").lock().unwrap();
        let before = proxy.requests();
        let take = || locks.key("a").lock().unwrap().release().unwrap();
        thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(take);
            }
            guard.release().unwrap();
        });
        // One question each and one release, with some to spare for who holds it for longer.
        let asked = proxy.requests() - before;
        assert!(asked < 250, "{asked}");
    });
}
