//! What a client of the inspect socket costs the process that it is attached to: free locks, and a queue of
//! 100,000 tasks; and how long that takes to say why it is stuck, meanwhile.
//!
//! Measured in processes of their own, since one that has served listens to waits from then on. What
//! the client asks for is what `lockutils top` does: all locks, again and again.

use super::crowd::{MANY, drained_after};
use super::heard::Nothing;
use super::memory::figures;
use crate::contender::Key;
use crate::figure;
use crate::measure::{self, Plan};
use crate::target::{Reach, Target, Unit};
use lockutils::inspect::{Builder, Server};
use lockutils::observe;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// What the child is called.
pub(super) const ATTACHED: &str = "attached";

/// The middle one of so many times.
const TIMES: usize = 5;
const TIMES_OF_FREE: usize = 101;

/// So many free locks at a time.
const FREE: u32 = 10_000;

/// How often the client is told.
const WATCH: &[u8] = b"{\"watch\":\"locks\",\"every_ms\":1000}\n";
const WHY: &[u8] = b"{\"get\":\"why\"}\n";

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    let runs: Vec<_> = (0..plan.repeats).map(|_| figures(ATTACHED)).collect();
    let column = |at: usize| -> Vec<f64> { runs.iter().map(|run| run[at]).collect() };
    let ratio = |what: &str, most, [alone, attached]: [usize; 2]| {
        let (alone, attached) = (column(alone), column(attached));
        Target {
            what: what.to_owned(),
            reach: Reach::AtMost(most, Unit::Times),
            measured: measure::ratio(&attached, &alone),
            details: figure::compared(&attached, &alone),
        }
    };
    let one = |what: &str, reach, at| Target {
        what: what.to_owned(),
        reach,
        measured: measure::median(&column(at)),
        details: String::new(),
    };
    vec![
        ratio(
            "a free lock while a client watches, an observer listens and long holds are told, to one alone",
            1.02,
            [0, 4],
        ),
        ratio(
            "100,000 tasks waiting on one key, drained while a client watches, to the same alone",
            1.1,
            [1, 2],
        ),
        one(
            "`why`, asked while 100,000 tasks wait",
            Reach::AtMost(50.0, Unit::Milliseconds),
            3,
        ),
        one("the answer to that", Reach::AtMost(1024.0, Unit::KiB), 5),
    ]
}

/// Measures as a child, and prints the figures.
pub(super) fn in_child() {
    let free = lock();
    let drained = drain(|| {});
    let directory = tempfile::tempdir().expect("a directory can be made");
    let server = Builder::new().path(directory.path().join("socket")).serve();
    let server = server.expect("it can be served there");
    let watching = watch(&server);
    let mut answers = Vec::new();
    let attached = drain(|| answers.push(ask_why(&server)));
    observe::set_observer(&Nothing).expect("nobody else is one");
    observe::long_holds(Some(Duration::from_secs(1)));
    let free_attached = lock();
    drop(server); // By which the client's connection ends.
    assert!(watching.join().expect("it reads"), "the client was told");
    let (times, sizes): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
    let (why, size) = (measure::median(&times), measure::median(&sizes));
    println!("{free} {drained} {attached} {why} {free_attached} {size}");
}

fn connect(server: &Server) -> BufReader<UnixStream> {
    let mut client = BufReader::new(UnixStream::connect(server.path()).expect("it serves"));
    let mut hello = String::new();
    client.read_line(&mut hello).expect("it says hello");
    client
}

/// Has a client watch, in a thread that says in the end whether it was told something.
fn watch(server: &Server) -> thread::JoinHandle<bool> {
    let mut client = connect(server);
    client.get_mut().write_all(WATCH).expect("it reads");
    thread::spawn(move || {
        let mut all = Vec::new();
        // An error is the end as well.
        let _end = client.read_to_end(&mut all);
        !all.is_empty()
    })
}

/// How many milliseconds the answer takes, and how many KiB it has.
fn ask_why(server: &Server) -> (f64, f64) {
    let mut client = connect(server);
    let asked = Instant::now();
    client.get_mut().write_all(WHY).expect("it reads");
    let mut answer = String::new();
    client.read_line(&mut answer).expect("it answers");
    let took = asked.elapsed().as_secs_f64() * 1e3;
    let bytes = u32::try_from(answer.len()).expect("an answer is short");
    (took, f64::from(bytes) / 1024.0)
}

/// How many nanoseconds a task takes.
fn drain(mut look: impl FnMut()) -> f64 {
    let key = Key::uuid(0).text;
    let times = [(); TIMES].map(|()| drained_after(MANY, || lockutils::lock_async(key), &mut look));
    #[expect(clippy::cast_precision_loss, reason = "they are few")]
    let tasks = MANY as f64;
    measure::median(&times) / tasks
}

/// How many nanoseconds a free lock takes.
fn lock() -> f64 {
    let key = Key::uuid(1).text;
    let times = [(); TIMES_OF_FREE].map(|()| {
        let start = Instant::now();
        for _ in 0..FREE {
            drop(lockutils::lock(key));
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(FREE)
    });
    measure::median(&times)
}
