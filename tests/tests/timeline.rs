//! Timelines: of a recording, and of the flight recorder.

#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

use lockutils::observe::{self, RecordOptions, Summary};
use lockutils::{Locks, inspect, named, stats};
use lockutils_tests::{ByHand, LIMIT, Slice, Trace, eventually, settled_waiters, states};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use std::{fs, iter, thread};

/// A process has one recording at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether holds of free locks are told of: only then is one known to have begun at its first look.
fn is_told() -> bool {
    static PROBE: Locks = Locks::new("a probe of recording");
    let _guard = PROBE.key("").lock();
    let holds = states(&PROBE).into_iter().flat_map(|lock| lock.holders);
    let mut known = holds.map(|holder| holder.held_for());
    known.any(|held| held.is_some())
}

/// Whether a thread of this process sleeps.
fn sleeps(thread: &Path) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(thread).join("stat")).unwrap();
    // The name comes before it, and may have any character.
    let state = stat.rsplit_once(") ");
    state.is_some_and(|(_, rest)| rest.starts_with('S'))
}

/// Records what is done meanwhile: as long as is enough on this machine, however busy it is.
fn record(mut during: impl FnMut()) -> (Trace, Summary) {
    long_enough(|millis| recorded_for(millis, &mut during))
}

/// What is had in a time that is long enough, where a time that is too short gives nothing.
fn long_enough<T>(within: impl FnMut(u64) -> Option<T>) -> T {
    let mut times = iter::successors(Some(SHORT), |millis| Some(2 * millis)).take(8);
    times.find_map(within).expect("each time was too short")
}

/// Nothing if the recording may have been over before what is done meanwhile.
fn recorded_for(millis: u64, during: impl FnOnce()) -> Option<(Trace, Summary)> {
    let mut text = Vec::new();
    let before = Instant::now();
    let (say, thread) = mpsc::channel();
    let summary = thread::scope(|scope| {
        let recording = scope.spawn(|| {
            say.send(fs::read_link("/proc/thread-self").unwrap())
                .unwrap();
            observe::record(&mut text, &lasting(millis)).unwrap()
        });
        let thread = thread.recv().unwrap();
        // It is told before it sleeps, and nobody else has a mutex that it could wait for.
        eventually("the recording begins", || {
            recording.is_finished() || is_told() && sleeps(&thread)
        });
        during();
        let was_long_enough = before.elapsed() < Duration::from_millis(millis);
        let summary = recording.join().unwrap();
        was_long_enough.then_some(summary)
    })?;
    let trace = Trace::read(&text);
    assert!(trace.is_in_order, "it is little, so it is written at once");
    Some((trace, summary))
}

fn lasting(millis: u64) -> RecordOptions {
    RecordOptions::default().lasting(Duration::from_millis(millis))
}

/// Long enough on a machine at rest.
const SHORT: u64 = 250;

/// Long enough on a busy machine.
const LONG: u64 = 4000;

#[test]
fn uncontended_holds_are_all_there() {
    let _alone = alone();
    let locks = Locks::new("uncontended");
    let during = || {
        for _ in 0..10 {
            drop(locks.key("a").lock());
            drop(locks.key("a").shared().lock());
            drop(locks.keys(["a", "b"]).lock());
            let mut future = ByHand::new(locks.key("a").lock_async());
            assert!(future.poll().map(drop).is_ready());
        }
    };
    let (trace, summary) = record(during);
    let holds = trace.holds("uncontended/a");
    assert_eq!(holds.len(), 40);
    assert_eq!(trace.holds("uncontended/b").len(), 10);
    assert!(holds.iter().all(|hold| hold.args.get("held").is_none()));
    let shared = holds.iter().filter(|hold| hold.args["mode"] == "shared");
    assert_eq!(shared.count(), 10);
    let (own, file) = (thread::current(), file!());
    let own = own.name().unwrap();
    let is_own = |hold: &&Slice| hold.args["thread"] == own;
    assert_eq!(holds.iter().filter(is_own).count(), 30);
    assert!(holds.iter().all(|hold| hold.name.starts_with(file)));
    assert!(summary.holds() >= 50 && summary.dropped() == 0);
    assert_eq!(trace.about["dropped"], 0);
    assert!(summary.lasted() >= Duration::from_millis(SHORT));
}

#[test]
fn waits_lead_to_the_holds_that_they_end_with() {
    let _alone = alone();
    let locks = Locks::new("waited for");
    let during = || {
        let guard = locks.key("a").lock();
        thread::scope(|scope| {
            let waiter = thread::Builder::new().name("waiter".into());
            let waiter = waiter.spawn_scoped(scope, || drop(locks.key("a").lock()));
            eventually("a thread waits", || settled_waiters(locks.name()) == 1);
            let mut task = ByHand::new(named("req-81", locks.key("a").lock_async()));
            assert!(task.poll().is_pending());
            // It has it itself.
            drop(locks.key("a").lock_timeout(LIMIT).unwrap_err());
            drop(guard);
            waiter.unwrap().join().unwrap();
            drop(task.finish());
        });
    };
    let (trace, _) = record(during);
    let name = "\"waited for/a\"";
    let holds = trace.holds(name);
    assert_eq!(holds.len(), 3);
    let mut outcomes = trace.outcomes(name);
    outcomes.sort();
    assert_eq!(outcomes, ["acquired", "acquired", "deadlock"]);
    let waits = trace.slices("wait");
    let wait = waits
        .iter()
        .find(|wait| wait.name == format!("waits for {name}") && wait.args["outcome"] == "acquired")
        .unwrap();
    // It has ended by then.
    assert_eq!(wait.track, "waiter");
    let first = &holds[0];
    assert!(first.from <= wait.from && first.to <= wait.to);
    assert!(trace.flows().contains(&(first.to, wait.to)));
}

#[test]
fn what_goes_on_is_cut() {
    let _alone = alone();
    let locks = Locks::new("going on");
    let before = locks.key("before").lock();
    let lasting_hold = locks.key("lasting").lock();
    let _ = stats(); // From now on waits are listened to.
    let mut waits = ByHand::new(locks.key("lasting").lock_async());
    assert!(waits.poll().is_pending());
    let (trace, _) = recorded_for(LONG, || drop(before)).unwrap();
    for key in ["before", "lasting"] {
        let holds = trace.holds(&format!("\"going on/{key}\""));
        let [hold] = &holds[..] else {
            panic!("{holds:?}");
        };
        assert_eq!(hold.args["held"], "at least");
        assert_eq!(hold.from, 0);
    }
    assert_eq!(trace.outcomes("\"going on/lasting\""), ["waits still"]);
    drop(lasting_hold);
    drop(waits.finish());
}

#[test]
fn concurrent_holds_have_tracks_of_their_own() {
    let _alone = alone();
    let (locks, shared) = (Locks::new("permits").permits(3), Locks::new("shared"));
    let again = Locks::new("again");
    let during = || {
        let guards = [(); 3].map(|()| locks.key(0).lock());
        drop(guards);
        drop([(); 2].map(|()| shared.key(0).shared().lock()));
        let first = again.key(0).reentrant().lock();
        drop(again.key(0).reentrant().lock());
        drop(first);
    };
    let (trace, _) = record(during);
    for (lock, count) in [("permits/0", 3), ("shared/0", 2), ("again/0", 2)] {
        let mut tracks: Vec<_> = trace
            .holds(lock)
            .into_iter()
            .map(|hold| hold.track)
            .collect();
        tracks.sort();
        assert_eq!(tracks.len(), count, "{tracks:?}");
        tracks.dedup();
        assert_eq!(tracks.len(), count, "{tracks:?}");
    }
}

#[test]
fn sample_is_of_keys_and_whole() {
    let _alone = alone();
    let locks = Locks::new("sampled");
    let during = || {
        for key in 0..2000 {
            drop(locks.key(key).lock());
            drop(locks.key(key).lock());
        }
    };
    let mut text = Vec::new();
    let options = lasting(LONG).one_in(16);
    thread::scope(|scope| {
        let recording = scope.spawn(|| observe::record(&mut text, &options).unwrap());
        // Sooner or later it has begun, since it isn't over.
        while !recording.is_finished() {
            during();
        }
        recording.join().unwrap();
    });
    let trace = Trace::read(&text);
    assert_eq!(trace.about["one_in"], 16);
    let mut keys: Vec<_> = trace
        .slices("hold")
        .into_iter()
        .map(|hold| hold.track)
        .filter(|track| track.starts_with("sampled/"))
        .collect();
    keys.sort();
    keys.dedup();
    // 125 are expected; each of 2000 is there by a chance of one in 16.
    assert!((40..=260).contains(&keys.len()), "{}", keys.len());
}

/// Begins to write when somebody says so.
struct Late<'a>(&'a AtomicBool, Vec<u8>);

impl io::Write for Late<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        eventually("it may write", || self.0.load(Ordering::Relaxed));
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_the_writer_is_too_slow_for_is_counted() {
    let _alone = alone();
    let locks = Locks::new("full");
    let (may_write, before) = (AtomicBool::new(false), dropped());
    let mut to = Late(&may_write, Vec::new());
    let summary = thread::scope(|scope| {
        let recording = scope.spawn(|| observe::record(&mut to, &lasting(LONG)).unwrap());
        eventually("the recording begins", is_told);
        // More than there is room for: half of it is being written, or about to be.
        for key in 0..30_000 {
            drop(locks.key(format!("{key:0100}")).lock());
        }
        may_write.store(true, Ordering::Relaxed);
        recording.join().unwrap()
    });
    assert!(summary.dropped() > 0 && summary.holds() > 0);
    assert!(dropped() - before >= summary.dropped());
    let trace = Trace::read(&to.1);
    assert_eq!(trace.about["dropped"], summary.dropped());
}

/// Says how many holds were written, or a little less.
struct Said<'a>(&'a AtomicUsize, Vec<u8>);

impl io::Write for Said<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let holds = text.matches("\"cat\":\"hold\"").count();
        self.0.fetch_add(holds, Ordering::Relaxed);
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How often the same is done, of which three would have room.
const ROUNDS: usize = 20;

/// Records so long while locks of all kinds are taken again and again, as far as the writer keeps up, and
/// some are held and waited for all the time. Gives what was written, or nothing if the recording may have
/// been over before.
fn streamed(millis: u64) -> Option<(Vec<u8>, Summary)> {
    let before = Instant::now();
    let (locks, several) = (Locks::new("streamed"), Locks::new("several").permits(3));
    let written = AtomicUsize::new(0);
    let mut to = Said(&written, Vec::new());
    let mut rounds = 0;
    let summary = thread::scope(|scope| {
        let recording = scope.spawn(|| observe::record(&mut to, &lasting(millis)).unwrap());
        eventually("the recording begins", || {
            recording.is_finished() || is_told()
        });
        let lasts = locks.key("lasts").lock();
        let permit = several.key("k").lock();
        let shared = locks.key("shared").shared().lock();
        let mut waits = ByHand::new(locks.key("lasts").lock_async());
        assert!(waits.poll().is_pending());
        while rounds < ROUNDS && !recording.is_finished() {
            for key in 0..1000 {
                drop(locks.key(key % 7).lock());
                drop(several.key("k").lock());
                drop(locks.key("shared").shared().lock());
                if key % 10 == 0 {
                    let mut brief = ByHand::new(locks.key("lasts").lock_async());
                    assert!(brief.poll().is_pending());
                }
            }
            rounds += 1;
            // It is so much that some of it is written at once. Then there is room for the next.
            eventually("it is written", || {
                recording.is_finished() || written.load(Ordering::Relaxed) > 3000 * (rounds - 1)
            });
        }
        let was_long_enough = before.elapsed() < Duration::from_millis(millis);
        let summary = recording.join().unwrap();
        drop((lasts, shared, permit, waits));
        (was_long_enough && rounds == ROUNDS).then_some(summary)
    })?;
    Some((to.1, summary))
}

/// Many times what has room at once.
#[test]
fn long_recording_is_written_while_it_lasts_and_loses_nothing() {
    let _alone = alone();
    let (text, summary) = long_enough(streamed);
    assert_eq!(summary.dropped(), 0);
    let trace = Trace::read(&text);
    let holds = summary.holds();
    // Of the last one it may have missed some.
    assert!(holds >= 3000 * (ROUNDS - 1) && summary.waits() > 100 * (ROUNDS - 1));
    assert!(!trace.is_in_order);
    assert_eq!(trace.slices("hold").len(), holds);
    // Each lock has its tracks from the beginning to the end.
    for (lock, expected) in [("streamed/3", 1), ("several/k", 2), ("streamed/shared", 2)] {
        let mut tracks: Vec<_> = { trace.holds(lock).into_iter() }
            .map(|hold| hold.track)
            .collect();
        tracks.sort();
        tracks.dedup();
        assert_eq!(tracks.len(), expected, "{tracks:?}");
    }
    assert_eq!(trace.outcomes("streamed/lasts").len(), summary.waits());
}

/// What the metrics say was left out.
fn dropped() -> u64 {
    let metrics = stats().to_prometheus();
    let mut lines = metrics.lines();
    let line = lines.find_map(|line| line.strip_prefix("lockutils_events_dropped_total "));
    line.unwrap().parse().unwrap()
}

/// Fails after so many bytes.
struct Full(usize);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::new(ErrorKind::StorageFull, "no room"));
        }
        let written = bytes.len().min(self.0);
        self.0 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn error_of_the_writer_is_given() {
    let _alone = alone();
    for room in [0, 100, 300] {
        let error = observe::record(Full(room), &lasting(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
}

#[test]
fn one_recording_at_a_time() {
    let _alone = alone();
    let during = || {
        let error = observe::record(Vec::new(), &lasting(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceBusy, "{error}");
    };
    recorded_for(LONG, during).unwrap();
    observe::record(Vec::new(), &lasting(1)).unwrap();
}

#[test]
fn locks_are_on_the_fast_path_again_afterwards() {
    let _alone = alone();
    record(|| {});
    assert!(!is_told());
}

/// Also of one that nobody is handed, since another one goes on.
#[test]
fn flight_recorder_has_each_hold_that_was_waited_for() {
    let _alone = alone();
    let trace = || Trace::read(inspect::respond("/trace.json").unwrap().body());
    trace();
    let locks = Locks::new("kept");
    let readers = [(); 2].map(|()| locks.key("k").shared().lock());
    thread::scope(|scope| {
        let writer = scope.spawn(|| drop(locks.key("k").lock()));
        eventually("it waits", || settled_waiters(locks.name()) == 1);
        drop(readers);
        writer.join().unwrap();
    });
    assert_eq!(trace().holds("kept/k").len(), 2);
}
