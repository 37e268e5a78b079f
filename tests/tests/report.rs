//! Services that are stuck, each in its own way: the first line of what is reported says where.
//!
//! In a binary of its own, since a report is about all locks of the process.

#![forbid(unsafe_code)]
#![cfg(unix)]

use futures::future::join;
use lockutils::inspect::{Builder, Server};
use lockutils::{Cause, ErrorKind, Holder, Locks, Named, named, report, synchronized};
use lockutils_tests::{Directory, eventually, in_time, settled_waiters};
use serde_json::Value;
use std::future::pending;
use std::io::{Read as _, Write as _};
use std::mem;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

/// Long enough that it is never over in a test.
const LONG: Duration = Duration::from_secs(3600);

/// What the process says of itself to those who attach, as the command does: the text.
fn told_by_socket() -> String {
    static SERVER: Mutex<Option<(Server, Directory)>> = Mutex::new(None);
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let (server, _) = server.get_or_insert_with(|| {
        let directory = Directory::new();
        let server = Builder::new().path(directory.join("socket")).serve();
        (server.unwrap(), directory)
    });
    let mut stream = UnixStream::connect(server.path()).unwrap();
    stream.write_all(b"{\"get\":\"why\"}\n").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut lines = String::new();
    stream.read_to_string(&mut lines).unwrap();
    let answer: Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
    answer["text"].as_str().unwrap().to_owned()
}

/// A text without its times, which go on.
fn without_times(text: &str) -> String {
    let mut parts = text.split(|char: char| char.is_ascii_digit() || char == '.');
    let first = parts.next().unwrap_or_default().to_owned();
    parts
        .filter(|part| !part.is_empty())
        .fold(first, |text, part| text + "#" + part)
}

/// The only cause in a space that no other test has. Those who attach are told the same.
fn cause(space: &str) -> Cause {
    let cause = cause_of(space);
    let (told, line) = (told_by_socket(), lines(&cause).remove(0));
    // Behind its number, which may have two digits.
    let line = without_times(&format!(" {line}"));
    assert!(
        without_times(&told).contains(&line),
        "no {line:?} in {told}"
    );
    cause
}

fn cause_of(space: &str) -> Cause {
    let causes = report();
    let mut causes = causes
        .causes()
        .iter()
        .filter(|cause| cause.space() == space);
    let cause = causes.next().expect("there is a cause").clone();
    assert!(causes.next().is_none());
    cause
}

fn lines(cause: &Cause) -> Vec<String> {
    cause.to_string().lines().map(str::to_owned).collect()
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

fn spawn<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    body: impl FnOnce() -> R + Send + 'scope,
) -> ScopedJoinHandle<'scope, R> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn_scoped(scope, body).unwrap()
}

/// A task, which has one waker for as long as it lives, as executors have it.
struct Task<F> {
    future: Pin<Box<Named<F>>>,
    waker: Waker,
}

struct Calls;

impl Wake for Calls {
    fn wake(self: Arc<Self>) {}
}

impl<F: Future> Task<F> {
    fn assert_waits(&mut self) {
        let mut context = Context::from_waker(&self.waker);
        assert!(self.future.as_mut().poll(&mut context).is_pending());
    }
}

/// A task that is polled once, and then waits.
fn wait<F: Future>(label: &str, future: F) -> Task<F> {
    let future = Box::pin(named(label, future));
    let waker = Waker::from(Arc::new(Calls));
    let mut task = Task { future, waker };
    task.assert_waits();
    task
}

/// Holds a lock for ever.
async fn keep(locks: &Locks, key: &str) {
    let _guard = locks.key(key).lock_async().await;
    pending::<()>().await;
}

/// Holds one lock, and waits for another.
async fn take_both(locks: &Locks, first: &str, second: &str) {
    let _guard = locks.key(first).lock_async().await;
    keep(locks, second).await;
}

#[synchronized(key = id, locks = LONG_HOLD)]
fn connect(id: &str, held: &Barrier) {
    held.wait();
    held.wait(); // It is to end.
}

static LONG_HOLD: Locks = Locks::new("long hold");

#[test]
fn long_hold_of_a_thread() {
    in_time(|| {
        let held = Barrier::new(2);
        thread::scope(|scope| {
            spawn(scope, "worker-3", || connect("2f1c", &held));
            held.wait();
            let tasks: Vec<_> = (0..40)
                .map(|_| wait("fetch", keep(&LONG_HOLD, "2f1c")))
                .collect();
            let cause = cause("long hold");
            let lines = lines(&cause);
            let start = "\"long hold/2f1c\", held by connect (";
            assert!(lines[0].contains(start), "{cause}");
            assert_has(
                &lines[0],
                &[" in thread \"worker-3\" (", ") for at least 0."],
            );
            let thread = cause.culprit().unwrap().os_thread();
            if let Some(thread) = thread {
                let advice = format!("gdb -p {} -ex 'thread find {thread}'", std::process::id());
                assert_has(&lines[1], &["It waits for no lock itself.", &advice]);
            }
            assert_eq!(lines[2], "   40 behind it:");
            assert_has(
                &lines[3],
                &[
                    "   └─ ",
                    file!(),
                    " in task \"fetch\", ",
                    "39 more from there",
                ],
            );
            assert_eq!((lines.len(), cause.waiters()), (4, 40));
            assert!(cause.waited() > Duration::ZERO);
            drop(tasks);
            held.wait();
        });
    });
}

#[test]
fn long_hold_of_a_task() {
    in_time(|| {
        let locks = Locks::new("task");
        let _holder = wait("req-81", keep(&locks, "7"));
        let _waiter = wait("req-82", keep(&locks, "7"));
        let lines = lines(&cause("task"));
        assert_has(
            &lines[0],
            &[
                "task/7, held by ",
                file!(),
                " in task \"req-81\" for at least ",
            ],
        );
        assert_has(&lines[1], &["It waits for no lock itself"]);
        assert_has(&lines[2], &["└─ ", " in task \"req-82\", 0."]);
    });
}

#[test]
fn chain_of_five() {
    in_time(|| {
        let locks = Locks::new("chain");
        let keys = ["a", "b", "c", "d", "e", "f"];
        let _first = wait("0", keep(&locks, "a"));
        let pairs = keys.windows(2).zip(1..);
        let _tasks: Vec<_> = pairs
            .map(|(keys, number)| wait(&format!("{number}"), take_both(&locks, keys[1], keys[0])))
            .collect();
        let cause = cause("chain");
        let lines = lines(&cause);
        assert_has(&lines[0], &["chain/a, held by ", " in task \"0\""]);
        assert_eq!(cause.waiters(), 5);
        assert_eq!(lines[2], "   5 behind it:");
        for (depth, key) in keys[1..5].iter().enumerate() {
            let line = &lines[3 + depth];
            let indent = format!("   {}└─ ", "   ".repeat(depth));
            assert!(line.starts_with(&indent), "{cause}");
            assert!(
                line.ends_with(&format!(", and holds chain/{key}")),
                "{cause}"
            );
        }
        assert_has(&lines[7], &[" in task \"5\", 0."]);
    });
}

/// One of the threads fails at once, so nobody is left to be reported.
#[test]
fn two_threads_that_take_each_others_lock() {
    in_time(|| {
        let locks = Locks::new("two threads");
        let held = Barrier::new(2);
        let take = |first: &str, second: &str| {
            let _guard = locks.key(first).lock();
            held.wait();
            let error = locks.key(second).lock_timeout(LONG).err()?;
            assert_eq!(error.kind(), ErrorKind::Deadlock);
            Some(error.to_string())
        };
        let [a, b] = thread::scope(|scope| {
            let take = &take;
            let a = spawn(scope, "A", move || take("a", "b"));
            let b = spawn(scope, "B", move || take("b", "a"));
            [a, b].map(|thread| thread.join().unwrap())
        });
        let text = a.or(b).expect("one of them fails");
        let waits = |thread, lock, holder| {
            let lines = text.lines();
            let waits =
                format!(" in thread \"{thread}\" waits for lock \"two threads/{lock}\", held by ");
            let mut lines = lines.filter(|line| line.contains(&waits));
            let line = lines.next().expect(&text);
            assert!(
                line.ends_with(&format!(" in thread \"{holder}\"")),
                "{text}"
            );
        };
        waits("A", "b", "B");
        waits("B", "a", "A");
    });
}

#[test]
fn two_tasks_that_take_each_others_lock() {
    in_time(|| {
        let locks = Locks::new("two tasks");
        let (go, goes) = futures::channel::oneshot::channel();
        let first = async {
            let _guard = locks.key("a").lock_async().await;
            goes.await.unwrap();
            keep(&locks, "b").await;
        };
        let mut first = wait("one", first);
        let _second = wait("two", take_both(&locks, "b", "a"));
        go.send(()).unwrap();
        first.assert_waits();
        let _behind = ["three", "four"].map(|name| wait(name, keep(&locks, "a")));
        let cause = cause("two tasks");
        let lines = lines(&cause);
        assert_has(&lines[0], &["two tasks/", ", held by ", " in task \""]);
        assert_eq!(cause.waiters(), 4);
        assert!(cause.deadlock().is_some());
        let text = cause.to_string();
        for (waiter, lock) in [("one", "b"), ("two", "a")] {
            let waits =
                format!(" in task \"{waiter}\" waits for lock \"two tasks/{lock}\", held by ");
            assert_has(&text, &[&waits]);
        }
        // Beside the two, who are told above.
        let behind = "\n   2 behind it:\n   └─ ";
        assert_has(
            &text,
            &[behind, " in task \"three\", ", "and 1 more from there"],
        );
    });
}

#[test]
fn thread_and_task_that_take_each_others_lock() {
    in_time(|| {
        let locks = Locks::new("thread and task");
        let held = Barrier::new(2);
        thread::scope(|scope| {
            spawn(scope, "blocks", || {
                let _guard = locks.key("a").lock();
                held.wait();
                held.wait(); // The task has the other one.
                drop(locks.key("b").lock());
            });
            held.wait();
            let task = wait("asks", take_both(&locks, "b", "a"));
            held.wait();
            eventually("both wait", || settled_waiters(locks.name()) == 2);
            let cause = cause("thread and task");
            let text = cause.to_string();
            assert_has(
                &text,
                &[
                    " in thread \"blocks\" waits for lock \"thread and task/b\", held by ",
                    " in task \"asks\" waits for lock \"thread and task/a\", held by ",
                ],
            );
            assert_eq!((cause.waiters(), cause.deadlock().is_some()), (2, true));
            drop(task);
        });
    });
}

/// The lock was handed to a future of a task that awaits another one.
#[test]
fn lock_that_was_handed_to_a_future_that_nobody_polls() {
    in_time(|| {
        let locks = Locks::new("futurelock");
        let guard = locks.key("31").lock();
        let mut attach = Box::pin(keep(&locks, "31"));
        let detach = async {
            futures::future::poll_immediate(&mut attach).await;
            keep(&locks, "31").await;
        };
        let _task = wait("req-81", detach);
        drop(guard);
        let cause = cause("futurelock");
        let lines = lines(&cause);
        assert_has(
            &lines[0],
            &[
                "futurelock/31, handed to ",
                file!(),
                " in task \"req-81\" 0.",
            ],
        );
        assert_has(
            &lines[0],
            &[" s ago, whose future has not been polled since"],
        );
        assert_has(
            &lines[1],
            &["A `select!` or `join!` that holds this future"],
        );
        assert_has(
            &lines[2],
            &[
                "└─ ",
                " in task \"req-81\", ",
                ": the same task, so it will never end",
            ],
        );
        assert!(cause.culprit().unwrap().not_polled_for().is_some());
    });
}

#[test]
fn guard_that_was_forgotten_and_one_of_a_thread_that_ended() {
    in_time(|| {
        let [forgotten, ended] = ["forgotten", "ended"].map(Locks::new);
        let done = Barrier::new(2);
        thread::scope(|scope| {
            spawn(scope, "idle", || {
                mem::forget(forgotten.key("7").lock());
                done.wait();
            });
            spawn(scope, "gone", || mem::forget(ended.key("7").lock()))
                .join()
                .unwrap();
            let waits = [&forgotten, &ended].map(|locks| {
                eventually("it is forgotten", || locks.key("7").is_locked());
                wait("waits", keep(locks, "7"))
            });
            let line = lines(&cause("forgotten")).remove(0);
            assert_has(&line, &["forgotten/7, held by ", " in thread \"idle\" "]);
            let lines = lines(&cause("ended"));
            assert_has(
                &lines[0],
                &[
                    "ended/7, held by ",
                    " in a thread that has ended for at least ",
                ],
            );
            assert_has(&lines[1], &["its guard was forgotten"]);
            drop(waits);
            done.wait();
        });
    });
}

#[test]
fn permits_that_are_used_up() {
    in_time(|| {
        let locks = Locks::new("permits").permits(3);
        let _holders = ["one", "two", "three"].map(|name| wait(name, keep(&locks, "host")));
        let _waiter = wait("four", keep(&locks, "host"));
        let line = lines(&cause("permits")).remove(0);
        let parts = [
            "permits/host, all 3 permits, held by ",
            " in task \"one\" for at least ",
        ];
        assert_has(&line, &parts);
        assert!(line.ends_with(", and 2 more"), "{line}");
    });
}

#[test]
fn permits_that_one_thread_has_used_up() {
    in_time(|| {
        let locks = Locks::new("own permits").permits(2);
        let _own = [(); 2].map(|()| locks.key("host").lock());
        let _waiter = wait("one", keep(&locks, "host"));
        let line = lines(&cause("own permits")).remove(0);
        assert_has(&line, &["host\", all 2 permits, held 2 times by "]);
        assert!(!line.contains(" more"), "{line}");
    });
}

#[test]
fn shared_holder_that_starves_a_writer() {
    in_time(|| {
        let locks = Locks::new("starved");
        let shared = async {
            let _guard = locks.key("7").shared().lock_async().await;
            pending::<()>().await;
        };
        let _reader = wait("reader", shared);
        let _writer = wait("writer", keep(&locks, "7"));
        let late = async { drop(locks.key("7").shared().lock_async().await) };
        let _late = wait("late reader", late);
        let lines = lines(&cause("starved"));
        assert_has(
            &lines[0],
            &["starved/7, held by ", " in task \"reader\" for at least "],
        );
        assert_eq!(lines[2], "   2 behind it:");
        assert_has(&lines[3], &["├─ ", " in task \"writer\", "]);
        assert_has(&lines[4], &["└─ ", " in task \"late reader\", "]);
    });
}

/// Of a thread, of a task, and of those who take several locks.
#[test]
fn waiter_that_gives_up_says_when() {
    in_time(|| {
        let locks = Locks::new("gives up");
        let held = ["a", "b"].map(|key| locks.key(key).lock());
        let patient = wait("patient", locks.key("a").lock_async());
        let task = wait("task", locks.key("a").lock_timeout_async(LONG));
        let several = locks.keys(["0", "b"]).lock_timeout_async(LONG);
        let several = wait("several", several);
        let left = || {
            let states = lockutils::snapshot();
            let states = states.iter().filter(|lock| lock.space == locks.name());
            let waiters = states.flat_map(|lock| lock.queue.clone());
            waiters
                .map(|waiter| waiter.gives_up_in())
                .collect::<Vec<_>>()
        };
        thread::scope(|scope| {
            spawn(scope, "thread", || {
                let _guard = locks.key("b").lock_timeout(LONG).unwrap();
            });
            eventually("all wait", || settled_waiters(locks.name()) == 4);
            let text = report().to_string();
            let lines: Vec<_> = text.lines().filter(|line| line.contains("─ ")).collect();
            for label in ["task \"task\"", "task \"several\"", "thread \"thread\""] {
                let mut lines = lines.iter().filter(|line| line.contains(label));
                let line = lines.next().expect(&text);
                assert!(line.contains(" s, gives up in 3"), "{line}");
            }
            let line = lines.iter().find(|line| line.contains("patient"));
            assert!(!line.expect(&text).contains("gives up"), "{text}");
            let left = left();
            assert_eq!(left.iter().filter(|left| left.is_none()).count(), 1);
            assert!(
                left.iter()
                    .flatten()
                    .all(|left| *left <= LONG && *left > LONG / 2)
            );
            drop((patient, task, several, held));
        });
    });
}

/// A task whose one branch holds what the other one waits for.
#[test]
fn task_that_waits_for_itself() {
    in_time(|| {
        let locks = Locks::new("itself");
        let _task = wait("req-7", join(keep(&locks, "7"), keep(&locks, "7")));
        let cause = cause("itself");
        assert_has(
            &cause.to_string(),
            &[
                " in task \"req-7\" waits for lock \"itself/7\", held by ",
                "itself/7, held by ",
            ],
        );
        assert!(cause.deadlock().is_some());
    });
}

#[cfg(target_os = "linux")]
#[test]
fn lock_file_of_another_process() {
    use lockutils::FileLocks;
    use lockutils_tests::Process;

    in_time(|| {
        let directory = Directory::new();
        let locks = FileLocks::new(&*directory);
        let mut process = Process::holder(env!("CARGO_BIN_EXE_holder"), &directory);
        process.ask_for("lock schema", "held");
        thread::scope(|scope| {
            for name in ["first", "second"] {
                spawn(scope, name, || drop(locks.key("schema").lock().unwrap()));
            }
            let path = locks.path("schema").unwrap().to_string_lossy().into_owned();
            let cause = || {
                let is_of_it = |cause: &&Cause| {
                    let pid = cause.culprit().and_then(Holder::pid);
                    pid == Some(process.id()) && cause.waiters() == 2
                };
                report().causes().iter().find(is_of_it).cloned()
            };
            eventually("both wait", || cause().is_some());
            let cause = cause().unwrap();
            let lines = lines(&cause);
            let pid = format!(" process {} (", process.id());
            assert_has(&lines[0], &[&format!("{path}, held by "), &pid]);
            let gdb = format!("See what that process does: gdb -p {}", process.id());
            assert_eq!(lines[1], format!("   {gdb}"));
            assert_has(
                &lines[3],
                &["└─ ", " in thread \"", ", and 1 more from there"],
            );
            process.ask_for("release", "released");
        });
    });
}

#[test]
fn keys_are_escaped_and_causes_numbered() {
    in_time(|| {
        let locks = Locks::new("escaped");
        let keys = ["a\n1  b, held by c", "plain"];
        let tasks = keys.map(|key| [(); 2].map(|()| wait("any", keep(&locks, key))));
        let text = report().to_string();
        assert_has(
            &text,
            &[
                " causes.\n\n1  ",
                "\n\n2  ",
                "\"escaped/a\\n1  b, held by c\", held by ",
            ],
        );
        assert_has(&text, &["escaped/plain, held by "]);
        drop(tasks);
    });
}
