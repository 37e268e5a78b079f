//! The protocol under every fault that a network, a server and a process have, by chance, and in no time.
//!
//! A run has two to four processes, each with the protocol as it is used, a server, a network and a clock
//! for each of them; nothing is real, and all of it follows from a seed. [`schedule`] says what
//! happens when: who asks for what and for how long, who gives up, which process stops, dies or closes its
//! space, when the network is cut, when answers are swallowed, when the server is restarted, takes a
//! lock away, refuses. [`world`] has the time and brings that about, [`network`] delays, loses, doubles
//! and reorders messages, [`server`] answers, and [`drive`] is what a process does. [`checker`] has
//! what must be true all the time.
//!
//! When the faults are over, each process asks for each lock once more, and has to get it; then all
//! spaces are closed, and nothing may be left at the server or in a process.
//!
//! `LOCKUTILS_SEEDS` says how many seeds are run, or, as `7..8`, which; a single one is run with a
//! trace. A seed that fails is run again with fewer events, as few as still fail.
//!
//! Faults that were put into the protocol, and about how many seeds it took to find each:
//!
//! | fault | seeds |
//! |---|---|
//! | a hold's own lease counts from the answer | 297 |
//! | a renewal counts from its answer | 251 |
//! | a session's lease counts from the answer of its opening | 128 |
//! | a grant counts as a renewal of the session | 822 |
//! | no margin | 2 |
//! | an unknown acquire is asked again without release | 194 |
//! | what a renewal says is lost is kept | 1 |
//! | a late grant to a gone asker is forgotten | 16 |
//! | a session's end loses nothing | 13 |
//! | asked again by the same nonce after a release | 816 |
//! | asked again by the same nonce in another session | 8,910 |
//! | no second release of what is adrift | 4,190 |
//! | a loss that is told before the grant is ignored | 107 |
//! | a grant after its deadline is told | 83 |
//! | deadlines are never looked at | 5 |
//! | a release without an answer isn't repeated | 155 |
//! | no patience before the session is open | 2 |
//! | no patience behind another claim | 7,630 |
//! | a session is left without closing it | 6 |
//! | no question is ever called off | 2 |
//! | who waits relies on being told | 2 |
//! | renewals come late | 657 |
//! | who gives up stays in the queue | 2 |
//! | a loss that the server tells is ignored | 2 |
//! | a closed space keeps its session | 1 |
//! | nobody goes on when a claim is out of the way | 2,139 |
//! | a wrong fence | 1 |
//! | dropping a guard doesn't release | 1 |
//! | a lost hold isn't released | 1 |
//! | a session's renewal isn't told to its holds | 13 |
//! | a session's deadline isn't moved by renewals, or isn't set | 495, 131 |
//! | own leases have no deadline | 5 |
//! | nobody goes on when a session is open | 1 |
//! | a question in a session that ends isn't released in the next | 4 |
//!
//! What 10,000 seeds don't find:
//!
//! | fault | most likely since |
//! |---|---|
//! | a name is asked for while another claim of it is on its way out | nothing is wrong then, but an asker may be told that its own process is in the way |
//! | deadlines aren't looked at before an answer | the timer that is due as well comes first, or tells of it some milliseconds later |
//! | no end to the repetition of releases | the server answers at last |
//! | no patience for a question of its own | that of the asker, from when it came, is there already |
//! | a silent session is kept, or no renewal follows on one that has failed | slower, but nobody is told too late |
//! | an end of a session that is told late ends the next one | it is opened again |
//! | another session doesn't renew at once what was held | the next renewal does |
//! | no pause after a failure | time doesn't pass without an answer |
//! | those who ask aren't told that they are refused | they are told that they had no answer |
//! | holds alone don't have a session opened | they are lost by their deadlines, which is allowed |
//!
//! The tests of [`protocol`](crate::protocol) drive it by hand, and have some of these.

mod checker;
mod drive;
mod network;
mod process;
mod schedule;
mod server;
mod world;

use schedule::{Event, Setting, plan};
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, thread};
use world::World;

const SEEDS: u64 = 10_000;

/// What a run has come to.
struct Outcome {
    wrong: Option<String>,
    counts: BTreeMap<&'static str, u64>,
    trace: Vec<String>,
}

#[test]
fn every_fault_of_every_seed_is_survived() {
    let seeds = env::var("LOCKUTILS_SEEDS").unwrap_or_else(|_| SEEDS.to_string());
    let (first, end) = seeds.split_once("..").unwrap_or(("0", &seeds));
    let [first, end] = [first, end].map(|number| number.parse::<u64>().expect("a number of seeds"));
    let next = AtomicU64::new(first);
    let failed = Mutex::new(None::<u64>);
    let counts = Mutex::new(BTreeMap::<&str, u64>::new());
    let work = || {
        while failed.lock().unwrap().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                break;
            }
            let (setting, events) = plan(seed);
            let outcome = run(&setting, &events, false);
            for (what, many) in outcome.counts {
                *counts.lock().unwrap().entry(what).or_default() += many;
            }
            if outcome.wrong.is_some() {
                *failed.lock().unwrap() = Some(seed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(work);
        }
    });
    println!("{:?}", counts.into_inner().unwrap());
    if let Some(seed) = failed.into_inner().unwrap() {
        panic!("{}", story(seed));
    }
    if end - first == 1 {
        println!("{}", story(first));
    }
}

fn run(setting: &Setting, events: &[Event], traced: bool) -> Outcome {
    let mut world = World::new(setting.clone(), events.to_vec(), traced);
    // A panic of the protocol is told as what else is wrong.
    let run = panic::catch_unwind(AssertUnwindSafe(|| world.run()));
    let wrong = world.checker.wrong.take();
    Outcome {
        wrong: run.err().map(|_| "it panicked".to_owned()).or(wrong),
        counts: world.counts,
        trace: world.trace.unwrap_or_default(),
    }
}

/// What happens with a seed, with as few events as it takes to go wrong.
fn story(seed: u64) -> String {
    let (setting, mut events) = plan(seed);
    let fails = |events: &[Event]| run(&setting, events, false).wrong.is_some();
    let all = events.len();
    if fails(&events) {
        let mut left = events.len();
        while left > 0 {
            left -= 1;
            let mut fewer = events.clone();
            fewer.remove(left);
            if fails(&fewer) {
                events = fewer;
            }
        }
    }
    let outcome = run(&setting, &events, true);
    format!(
        "{setting:#?}\n{}seed {seed}: {}\n{} of {all} events; again: LOCKUTILS_SEEDS={seed}..{} \
         cargo test -p lockutils-remote --lib simulation -- --nocapture",
        outcome
            .trace
            .iter()
            .map(|line| shorter(line))
            .collect::<String>(),
        outcome.wrong.as_deref().unwrap_or("all is well"),
        events.len(),
        seed + 1,
    )
}

/// A line of a trace, with what a claim says for people left out.
fn shorter(line: &str) -> String {
    let mut parts = line.split(", key: \"\"");
    let mut shorter = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.split_once("tv_nsec: 0 } }");
        let (claim, rest) = rest.expect("the end of a claim");
        let claim = claim.split_once(", site").expect("its site");
        shorter.push_str(claim.0);
        shorter.push_str(" }");
        shorter.push_str(rest);
    }
    shorter + "\n"
}
