//! Waits for locks as spans and events of `tracing`.
//!
//! In a binary of its own, since a process has one subscriber for all threads.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
use lockutils::FileLocks;
use lockutils::observe::LockOrderAction;
use lockutils::{Locks, observe};
use lockutils_tests::{ByHand, eventually, in_time};
#[cfg(target_os = "linux")]
use lockutils_tests::{Directory, Process};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, Once};
use std::thread;
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber, debug_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// The span of a wait, or an event.
#[derive(Clone, Debug)]
struct Seen {
    name: String,
    level: Level,
    target: String,
    fields: Fields,
    /// The name of the span that it is in.
    parent: Option<String>,
    begin: Instant,
    end: Option<Instant>,
}

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

/// Keeps all of it.
struct Keep;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Keep {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        span.extensions_mut().insert(Seen {
            name: span.name().to_owned(),
            level: *span.metadata().level(),
            target: span.metadata().target().to_owned(),
            fields,
            parent: span.parent().map(|parent| parent.name().to_owned()),
            begin: Instant::now(),
            end: None,
        });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        record.record(&mut span.extensions_mut().get_mut::<Seen>().unwrap().fields);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let mut seen = span.extensions_mut().remove::<Seen>().unwrap();
        seen.end = Some(Instant::now());
        seen_so_far().push(seen);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        seen_so_far().push(Seen {
            name: "event".to_owned(),
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            fields,
            parent: context.event_span(event).map(|span| span.name().to_owned()),
            begin: Instant::now(),
            end: None,
        });
    }
}

fn seen_so_far() -> MutexGuard<'static, Vec<Seen>> {
    SEEN.lock().unwrap()
}

fn subscribe() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let subscriber = Registry::default().with(Keep);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// The spans of the waits in a space that are over.
fn spans(space: &str) -> Vec<Seen> {
    let seen = seen_so_far().clone().into_iter();
    let is_of = |seen: &Seen| {
        seen.fields
            .0
            .get("lockutils.space")
            .is_some_and(|is| is == space)
    };
    seen.filter(|seen| seen.name == "lock.wait" && is_of(seen))
        .collect()
}

/// The events whose messages have this text.
fn events(text: &str) -> Vec<Seen> {
    let seen = seen_so_far().clone().into_iter();
    let has = |seen: &Seen| {
        seen.fields
            .0
            .get("message")
            .is_some_and(|is| is.contains(text))
    };
    seen.filter(|seen| seen.name == "event" && has(seen))
        .collect()
}

#[test]
fn span_is_as_long_as_the_wait_and_in_the_span_of_its_caller() {
    subscribe();
    in_time(|| {
        let locks = Locks::new("spans");
        drop(locks.key("free").lock());
        let (guard, holder) = (locks.key("2f1c").lock(), line!());
        let mut first = ByHand::new(locks.key("2f1c").lock_async());
        assert!(first.poll().is_pending());
        let earliest = Instant::now();
        let second = {
            let _request = debug_span!("request").entered();
            let mut second = ByHand::new(locks.key("2f1c").shared().lock_async());
            assert!(second.poll().is_pending());
            second
        };
        let latest = Instant::now();
        thread::sleep(Duration::from_millis(20));
        drop(first);
        drop(guard);
        let end = Instant::now();
        drop(second.finish());
        let ended = Instant::now();
        let [first, second] = &spans("spans")[..] else {
            panic!("{:?}", spans("spans"));
        };
        assert_eq!(
            (first.level, &first.target[..]),
            (Level::DEBUG, "lockutils")
        );
        assert_eq!(first.parent, None);
        assert_eq!(second.parent.as_deref(), Some("request"));
        assert!((earliest..=latest).contains(&second.begin));
        assert!((end..=ended).contains(&second.end.unwrap()));
        let field = |name: &str| &second.fields.0[name][..];
        assert_eq!(field("lockutils.key"), "2f1c");
        assert_eq!(field("lockutils.mode"), "shared");
        assert_eq!(field("lockutils.ahead"), "1");
        assert_eq!(field("lockutils.outcome"), "acquired");
        assert!(field("lockutils.holder").contains(&format!("tracing.rs:{holder} in thread")));
        assert!(field("code.file.path").ends_with("tracing.rs"));
        assert!(field("code.line.number").parse::<u32>().unwrap() > holder);
        assert!(!second.fields.0.contains_key("code.function.name"));
        assert_eq!(first.fields.0["lockutils.outcome"], "cancelled");
    });
}

#[test]
fn outcome_of_a_span_is_that_of_the_wait() {
    subscribe();
    in_time(|| {
        let locks = Locks::new("outcomes");
        let guard = locks.key(7).lock();
        let mut timed = ByHand::new(locks.key(7).lock_timeout_async(Duration::from_millis(1)));
        assert!(timed.poll().is_pending());
        assert!(timed.finish().is_err());
        assert!(locks.key(7).lock_timeout(Duration::from_secs(60)).is_err());
        drop(guard);
        let outcomes: Vec<_> = spans("outcomes")
            .iter()
            .map(|span| span.fields.0["lockutils.outcome"].clone())
            .collect();
        assert_eq!(outcomes, ["timeout", "deadlock"]);
        let [deadlock] = &events("outcomes/7")[..] else {
            panic!("one event");
        };
        assert_eq!(deadlock.level, Level::ERROR);
    });
}

#[test]
fn locks_that_are_taken_in_two_orders_are_a_warning() {
    subscribe();
    in_time(|| {
        let (a, b) = (Locks::new("first order"), Locks::new("second order"));
        observe::lock_order(LockOrderAction::Report);
        for (held, asked) in [(&a, &b), (&b, &a)] {
            let _held = held.key(7).lock();
            let _asked = asked.key(7).lock();
        }
        observe::lock_order(LockOrderAction::Off);
        let [warning] = &events("\"second order/7\" (tests/tests/tracing.rs:")[..] else {
            panic!("one event");
        };
        assert_eq!(warning.level, Level::WARN);
    });
}

#[test]
fn what_lasts_is_an_event_while_it_does_and_one_when_it_ends() {
    subscribe();
    in_time(|| {
        observe::long_holds(Some(Duration::from_millis(500)));
        let locks = Locks::new("lasting");
        let guard = locks.key(7).lock();
        let mut waiter = ByHand::new(locks.key(7).lock_async());
        assert!(waiter.poll().is_pending());
        let still = "still waiting for lock \"lasting/7\", held by tests/tests/tracing.rs:";
        eventually("there is a warning", || !events(still).is_empty());
        let [warning, ..] = &events(still)[..] else {
            unreachable!("there was one");
        };
        assert_eq!(warning.level, Level::WARN);
        assert!(warning.fields.0["waited_secs"].parse::<f64>().unwrap() >= 1.0);
        // Another thread looks at holds.
        let held = || events("lock \"lasting/7\" held for ");
        eventually("so is the hold", || !held().is_empty());
        assert_eq!(held()[0].level, Level::WARN);
        drop(guard);
        eventually("its end is told", || {
            !events("lock \"lasting/7\" released after ").is_empty()
        });
        eventually("it doesn't come", || {
            !events("whose future has not been polled since").is_empty()
        });
        drop(waiter.finish());
        let got = events("got lock \"lasting/7\" after ");
        assert_eq!((got.len(), got[0].level), (1, Level::INFO));
        assert_eq!(got[0].parent.as_deref(), Some("lock.wait"));
        observe::long_holds(None);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn wait_for_another_process_is_a_span_in_that_of_its_caller() {
    subscribe();
    let directory = Directory::new();
    let mut other = Process::holder(env!("CARGO_BIN_EXE_holder"), &directory);
    in_time(move || {
        let locks = FileLocks::new(&*directory);
        other.ask_for("lock 2f1c", "held");
        let waiter = {
            let _request = debug_span!("request").entered();
            let mut waiter = ByHand::new(locks.key("2f1c").lock_async());
            assert!(waiter.poll().is_pending());
            waiter
        };
        let path = directory.join("2f1c");
        let still = format!("still waiting for lock \"{}\", held by ", path.display());
        eventually("it is told of", || !events(&still).is_empty());
        let process = format!(" in process {} (", other.id());
        let [Seen { level, fields, .. }, ..] = &events(&still)[..] else {
            panic!("it is told of");
        };
        assert_eq!(*level, Level::WARN);
        assert!(fields.0["message"].contains(&process), "{fields:?}");
        other.ask_for("release", "released");
        drop(waiter.finish().unwrap());
        let [span] = &spans(&directory.display().to_string())[..] else {
            panic!("one wait");
        };
        assert_eq!(span.parent.as_deref(), Some("request"));
        let field = |name: &str| &span.fields.0[name][..];
        assert_eq!(field("lockutils.outcome"), "acquired");
        assert!(field("lockutils.holder").contains(&process));
        let got = format!("got lock \"{}\" after ", path.display());
        eventually("its end is told", || events(&got).len() == 1);
    });
}
