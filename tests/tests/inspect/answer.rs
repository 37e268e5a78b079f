//! What is answered.

use crate::{Served, waits};
use lockutils::inspect::Keys;
use lockutils::{FileLocks, Locks, named, report};
use lockutils_tests::{ByHand, Process, eventually, in_time};
use serde_json::Value;
use std::io::Write as _;
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

/// What a task is known by.
struct Calls;

impl Wake for Calls {
    fn wake(self: Arc<Self>) {}
}

/// The lock of a space in an answer.
fn of<'a>(answer: &'a Value, space: &str) -> &'a Value {
    let mut locks = answer["locks"].as_array().unwrap().iter();
    locks.find(|lock| lock["space"] == space).expect("a lock")
}

#[test]
fn client_is_greeted_and_told_of_locks() {
    let served = Served::new(Keys::Plain);
    let locks = Locks::new("told");
    let guard = locks.key("a\"b\n").lock();
    let mut waiter = ByHand::new(named("req-1", locks.key("a\"b\n").lock_async()));
    assert!(waiter.poll().is_pending());
    let mut client = served.attach();
    assert_eq!(client.hello["lockutils"], 1);
    assert_eq!(client.hello["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(client.hello["pid"], std::process::id());
    let name = client.hello["name"].as_str().unwrap();
    assert!(name.starts_with("inspect-"), "{name}");
    let start = client.hello["start"].as_str().unwrap();
    assert!(start.starts_with("20") && start.ends_with('Z'), "{start}");

    let answer = client.ask(r#"{"get":"locks","limit":200,"x":[{}]}"#);
    let lock = of(&answer, "told");
    assert_eq!(lock["key"], "a\"b\n");
    let holder = &lock["holders"][0];
    assert!(holder["site"].as_str().unwrap().starts_with(file!()));
    assert_eq!(
        holder["thread"],
        "answer::client_is_greeted_and_told_of_locks"
    );
    assert!(holder["tid"].as_u64() > Some(0));
    assert!(holder["held_at_least_s"].as_f64() >= Some(0.0));
    let waiter = &lock["queue"][0];
    assert_eq!(
        (&waiter["task"], &waiter["state"]),
        (&"req-1".into(), &"queued".into())
    );
    assert!(waiter["since_s"].as_f64() >= Some(0.0));
    assert_eq!(
        (&lock["waiters"], &lock["suspected"]),
        (&1.into(), &false.into())
    );
    assert!(lock["waiter_s"].as_f64() >= Some(0.0));
    assert_eq!(
        (&answer["left_off"], &answer["waiters"]),
        (&0.into(), &1.into())
    );
    assert!(answer["at_s"].as_f64() >= Some(0.0));
    drop(guard);
}

#[test]
fn client_is_told_why() {
    let served = Served::new(Keys::Plain);
    let locks = Locks::new("why");
    let _guard = locks.key("7").lock();
    let _waiters = [waits(&locks, "7"), waits(&locks, "7")];
    let answer = served.attach().ask(r#"{"get":"why"}"#);
    let why = &answer["why"];
    assert_eq!((&why["waiters"], &why["left_off"]), (&2.into(), &0.into()));
    let cause = &why["causes"][0];
    assert_eq!(
        (&cause["lock"], &cause["key"]),
        (&"why/7".into(), &"7".into())
    );
    assert_eq!(cause["culprit"]["thread"], "answer::client_is_told_why");
    assert!(
        cause["advice"]
            .as_str()
            .unwrap()
            .starts_with("It waits for no lock itself.")
    );
    assert_eq!(cause["behind"][0]["more"], 1);
    let text = answer["text"].as_str().unwrap();
    let first = text.lines().next().unwrap();
    let pid = std::process::id();
    assert!(
        first.contains(&format!(" ({pid}): 2 wait, the first for 0.")),
        "{text}"
    );
    let lines = |text: &str| text.lines().count();
    assert_eq!(lines(text), lines(&report().to_string()));
}

#[test]
fn wrong_request_has_an_error_and_the_next_one_an_answer() {
    let served = Served::new(Keys::Plain);
    let mut client = served.attach();
    for request in ["", "nonsense", r#"{"get":"keys"}"#, r#"{"unlock":"a"}"#] {
        assert!(client.ask(request)["error"].is_string(), "{request}");
    }
    assert!(client.ask(r#"{"get":"why"}"#)["why"].is_object());
    // A line that has no end is one as well, for whoever says nothing more.
    write!(client.lines.get_mut(), "{{\"get\":\"locks\"}}").unwrap();
    client.lines.get_ref().shutdown(Shutdown::Write).unwrap();
    assert!(client.hear().unwrap()["locks"].is_array());
    assert_eq!(client.hear(), None);
}

#[test]
fn who_watches_is_told_again_and_again_and_others_meanwhile() {
    let served = Served::new(Keys::Plain);
    let mut client = served.attach();
    client.ask(r#"{"watch":"locks","every_ms":100}"#);
    for _ in 0..3 {
        assert!(client.hear().unwrap()["locks"].is_array());
        assert!(served.attach().ask(r#"{"get":"why"}"#)["text"].is_string());
    }
}

#[test]
fn awaited_locks_come_first_and_others_are_left_off() {
    let served = Served::new(Keys::Plain);
    let locks = Locks::new("many");
    let _held: Vec<_> = (0..500).map(|key| locks.key(key).lock()).collect();
    let awaited: Vec<_> = (100..110)
        .map(|key| waits(&locks, &format!("{key}")))
        .collect();
    let more = waits(&locks, "105");
    let mut client = served.attach();
    let answer = client.ask(r#"{"get":"locks","limit":10}"#);
    let found = answer["locks"].as_array().unwrap();
    assert_eq!((found.len(), &answer["left_off"]), (10, &490.into()));
    assert_eq!(
        (&answer["held"], &answer["waiters"]),
        (&500.into(), &11.into())
    );
    assert_eq!(found[0]["key"], "105");
    assert!(found.iter().all(|lock| lock["waiters"].as_u64() > Some(0)));
    drop((awaited, more));
}

#[test]
fn hashed_keys_are_nowhere() {
    let served = Served::new(Keys::Hashed);
    let locks = Locks::new("hashed");
    let _guard = locks.key("alice").lock();
    let _waiter = waits(&locks, "alice");
    // Two tasks that wait for each other.
    let wakers = [(); 2].map(|()| Waker::from(Arc::new(Calls)));
    let mut tasks = [("bob", "carol"), ("carol", "bob")].map(|(first, second)| {
        let locks = &locks;
        Box::pin(async move {
            let _guard = locks.key(first).lock_async().await;
            lockutils_tests::yield_now().await;
            drop(locks.key(second).lock_async().await);
        })
    });
    for _ in 0..2 {
        for (task, waker) in tasks.iter_mut().zip(&wakers) {
            let polled = task.as_mut().poll(&mut Context::from_waker(waker));
            assert!(polled.is_pending());
        }
    }
    let mut client = served.attach();
    let (why, all) = (
        client.ask(r#"{"get":"why"}"#),
        client.ask(r#"{"get":"locks"}"#),
    );
    for answer in [&why, &all] {
        for name in ["alice", "bob", "carol"] {
            assert!(!answer.to_string().contains(name), "{answer}");
        }
    }
    assert!(
        why["text"].as_str().unwrap().contains("A deadlock"),
        "{why}"
    );
    let keys = |answer: &Value, list: &str| -> Vec<_> {
        let list = answer[list].as_array().unwrap().iter();
        let mut keys: Vec<_> = list
            .map(|lock| lock["key"].as_str().unwrap().to_owned())
            .collect();
        keys.sort();
        keys
    };
    let hashed = keys(&all, "locks");
    assert_eq!(hashed.len(), 3);
    assert!(
        hashed
            .iter()
            .all(|key| key.starts_with('#') && key.len() == 17)
    );
    let of_why = keys(&why["why"], "causes");
    assert!(of_why.iter().all(|key| hashed.contains(key)), "{of_why:?}");
}

/// Its path has the key in it.
#[test]
fn hashed_key_of_a_lock_file_is_nowhere_either() {
    in_time(|| {
        let served = Served::new(Keys::Hashed);
        let locks = FileLocks::new(&*served.directory);
        let mut process = Process::holder(env!("CARGO_BIN_EXE_holder"), &served.directory);
        process.ask_for("lock alice", "held");
        std::thread::scope(|scope| {
            scope.spawn(|| drop(locks.key("alice").lock().unwrap()));
            let mut client = served.attach();
            eventually("it waits", || {
                let why = client.ask(r#"{"get":"why"}"#);
                assert!(!why.to_string().contains("alice"), "{why}");
                why["why"]["causes"][0]["outside"] == true
            });
            let all = client.ask(r#"{"get":"locks"}"#);
            assert!(!all.to_string().contains("alice"), "{all}");
            // Who asks waits, and the other process has it.
            let lock = of(&all, &served.directory.to_string_lossy());
            assert_eq!(
                (&lock["waiters"], &lock["queue"][0]["state"]),
                (&1.into(), &"queued".into())
            );
            assert_eq!(lock["holders"][0]["pid"], process.id());
            process.ask_for("release", "released");
        });
    });
}

#[test]
fn metrics_and_the_profile_are_answered_without_keys_where_those_are_hidden() {
    let served = Served::new(Keys::Hashed);
    let locks = Locks::new("profiled");
    let guard = locks.key("secret").lock();
    let mut waiter = ByHand::new(locks.key("secret").lock_async());
    assert!(waiter.poll().is_pending());
    drop(guard);
    drop(waiter.finish());
    let mut client = served.attach();
    let answer = client.ask(r#"{"get":"metrics"}"#);
    let metrics = answer["metrics"].as_str().unwrap();
    let line = "\nlockutils_waiters{space=\"profiled\"} 0\n";
    assert!(metrics.contains(line), "{metrics}");
    let answer = client.ask(r#"{"get":"profile"}"#);
    assert!(!answer.to_string().contains("secret"), "{answer}");
    let mut rows = answer["profile"].as_array().unwrap().iter();
    let row = rows.find(|row| row["space"] == "profiled").unwrap();
    assert!(row["held_by"].as_str().unwrap().starts_with(file!()));
    assert!(row["keys"][0]["key"].as_str().unwrap().starts_with('#'));
    assert_eq!(row["keys"][0]["waited_ns"], row["waited_ns"]);
    assert!(row["waited_ns"].as_u64() > Some(0) && answer["left_off"] == 0);
    assert!(answer["lasted_s"].as_f64() >= Some(0.0));
    let text = answer["text"].as_str().unwrap();
    assert!(text.contains("HELD BY"), "{text}");
}

#[test]
fn recording_is_said_after_its_time_and_ends_with_its_connection() {
    in_time(|| {
        let served = Served::new(Keys::Hashed);
        let locks = Locks::new("recorded by a client");
        let _guard = locks.key("personal").lock();
        let (mut one, mut other) = (served.attach(), served.attach());
        let record = r#"{"record":{"seconds":0.05,"one_in":1}}"#;
        eventually("the first records", || {
            // Again, if the other was the first to ask.
            writeln!(one.lines.get_mut(), r#"{{"record":{{"seconds":60}}}}"#).unwrap();
            let answer = other.ask(record);
            let is_busy = answer["error"] == "busy: somebody records already";
            // Else it was first, and the rest of its answer follows.
            let mut line = answer;
            while line.get("ev").is_some() {
                line = other.hear().unwrap();
            }
            is_busy
        });
        drop(one);
        let mut events = Vec::new();
        let done = eventually_said(|| {
            events.clear();
            let mut line = other.ask(record);
            while let Some(said) = line["ev"].as_array() {
                events.extend(said.clone());
                line = other.hear().unwrap();
            }
            line.get("done").cloned()
        });
        assert_eq!(done["events"], events.len());
        assert_eq!((&done["dropped"], &done["one_in"]), (&0.into(), &1.into()));
        assert!(done["holds"].as_u64() >= Some(1));
        let text = serde_json::to_string(&events).unwrap();
        assert!(text.contains("recorded by a client/#"), "{text}");
        assert!(!text.contains("personal"), "{text}");
        // The connection is of use still.
        assert!(other.ask(r#"{"get":"why"}"#).get("why").is_some());
    });
}

/// What there is sooner or later.
fn eventually_said<T>(mut say: impl FnMut() -> Option<T>) -> T {
    let mut said = None;
    eventually("it is said", || {
        said = say();
        said.is_some()
    });
    said.unwrap()
}

#[test]
fn profile_is_of_the_time_that_was_asked_for() {
    in_time(|| {
        let served = Served::new(Keys::Plain);
        let locks = Locks::new("profiled");
        let mut client = served.attach();
        let wait = || {
            let guard = locks.key("a").lock();
            let waiter = waits(&locks, "a");
            std::thread::sleep(std::time::Duration::from_millis(2));
            drop(guard);
            drop(waiter.finish());
        };
        wait();
        let folded = |answer: &Value| answer["folded"].as_str().unwrap().contains("profiled;");
        assert!(folded(&client.ask(r#"{"profile":{"as":"folded"}}"#)));
        let later = r#"{"profile":{"seconds":0.01,"as":"folded"}}"#;
        assert!(!folded(&client.ask(later)));
        let going_on = locks.key("a").lock();
        let waiter = waits(&locks, "a");
        assert!(folded(&client.ask(later)));
        drop((waiter, going_on));
        let pprof = client.ask(r#"{"profile":{"as":"pprof"}}"#);
        let digits = pprof["pprof"].as_str().unwrap();
        assert!(digits.len() > 100 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(client.ask(r#"{"profile":{}}"#)["profile"].is_array());
    });
}
