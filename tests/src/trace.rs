//! A timeline, read back and checked.

use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A timeline that is valid: events are within its time, slices of a track nest or don't overlap, and
/// what begins ends. What was written at once is in the order of time.
pub struct Trace {
    /// What is said of it as a whole.
    pub about: Value,
    /// All events, as they are.
    pub events: Vec<Value>,
    tracks: BTreeMap<(u64, u64), String>,
    /// Whether all events are in the order of time.
    pub is_in_order: bool,
}

/// A slice of a track, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// What the track is called.
    pub track: String,
    /// What the slice is called.
    pub name: String,
    /// When it begins.
    pub from: u64,
    /// When it ends.
    pub to: u64,
    /// What else is said of it.
    pub args: Value,
}

impl Trace {
    /// Reads one, and checks it.
    ///
    /// # Panics
    ///
    /// If something is wrong with it.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        let mut whole: Value = serde_json::from_slice(text).expect("JSON");
        let Value::Array(events) = whole["traceEvents"].take() else {
            panic!("no events");
        };
        let names = events.iter().filter(|event| event["name"] == "thread_name");
        let tracks = names.map(|event| (track_of(event), text_of(&event["args"]["name"])));
        let times = events.iter().filter(|event| event["ph"] != "M");
        let trace = Self {
            about: whole["otherData"].take(),
            tracks: tracks.collect(),
            is_in_order: times.is_sorted_by_key(|event| nanoseconds(&event["ts"])),
            events,
        };
        trace.check_times();
        trace.check_slices();
        trace.check_pairs();
        trace.check_counters();
        trace
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["ph"] == kind)
    }

    /// The slices of tracks, of a process and a kind: `hold` or `wait`.
    #[must_use]
    pub fn slices(&self, kind: &str) -> Vec<Slice> {
        let slices = self.of_kind("X").filter(|event| event["cat"] == kind);
        let slice = |event: &Value| Slice {
            track: self.tracks[&track_of(event)].clone(),
            name: text_of(&event["name"]),
            from: nanoseconds(&event["ts"]),
            to: nanoseconds(&event["ts"]) + nanoseconds(&event["dur"]),
            args: event["args"].clone(),
        };
        slices.map(slice).collect()
    }

    /// The holds of a lock, on any of its tracks.
    #[must_use]
    pub fn holds(&self, lock: &str) -> Vec<Slice> {
        let mut holds = self.slices("hold");
        let more = format!("{lock} (");
        holds.retain(|hold| hold.track == lock || hold.track.starts_with(&more));
        holds
    }

    /// The waits for a lock, of threads and tasks: their outcomes.
    #[must_use]
    pub fn outcomes(&self, lock: &str) -> Vec<String> {
        let begins = ["X", "b"].into_iter().flat_map(|kind| self.of_kind(kind));
        let waits = begins.filter(|event| event["args"]["lock"] == lock);
        waits
            .map(|event| text_of(&event["args"]["outcome"]))
            .collect()
    }

    /// When each flow begins and ends.
    #[must_use]
    pub fn flows(&self) -> Vec<(u64, u64)> {
        let times = |kind| {
            let events = self.of_kind(kind);
            let times = events.map(|event| (event["id"].as_u64(), nanoseconds(&event["ts"])));
            times.collect::<BTreeMap<_, _>>()
        };
        let (begins, ends) = (times("s"), times("f"));
        begins.into_values().zip(ends.into_values()).collect()
    }

    fn check_times(&self) {
        let lasted = self.about["lasted_s"].as_f64().expect("how long it was");
        // It is given to the millisecond.
        let lasted = Duration::from_secs_f64(lasted + 0.001);
        for event in self.events.iter().filter(|event| event["ph"] != "M") {
            let from = nanoseconds(&event["ts"]);
            let to = from + event.get("dur").map_or(0, nanoseconds);
            assert!(Duration::from_nanos(to) <= lasted, "{event} is outside");
        }
    }

    fn check_slices(&self) {
        let mut open: BTreeMap<(u64, u64), Vec<u64>> = BTreeMap::new();
        let mut slices: Vec<_> = self.of_kind("X").collect();
        slices.sort_by_key(|event| nanoseconds(&event["ts"]));
        for event in slices {
            let from = nanoseconds(&event["ts"]);
            let to = from + nanoseconds(&event["dur"]);
            let ends = open.entry(track_of(event)).or_default();
            ends.retain(|end| *end > from);
            assert!(ends.iter().all(|end| *end >= to), "{event} overlaps");
            assert!(
                event["cat"] != "hold" || ends.is_empty(),
                "{event} is inside"
            );
            ends.push(to);
        }
    }

    /// Of flows, and of what is asynchronous.
    fn check_pairs(&self) {
        for (first, second) in [("s", "f"), ("b", "e")] {
            let by_id = |kind| {
                let events = self.of_kind(kind).map(|event| (&event["id"], event));
                let mut events: Vec<_> = events.collect();
                events.sort_by_key(|(id, _)| id.as_u64());
                events
            };
            let (begins, ends) = (by_id(first), by_id(second));
            assert!(begins.windows(2).all(|pair| pair[0].0 != pair[1].0));
            assert_eq!(begins.len(), ends.len());
            for ((id, begin), (end_id, end)) in begins.into_iter().zip(ends) {
                assert_eq!(id, end_id);
                assert!(nanoseconds(&begin["ts"]) <= nanoseconds(&end["ts"]));
                if first == "s" {
                    self.check_slice_ends(begin);
                    self.check_slice_ends(end);
                }
            }
        }
    }

    /// A flow begins and ends where a slice of its track ends.
    fn check_slice_ends(&self, flow: &Value) {
        let at = nanoseconds(&flow["ts"]);
        let mut slices = self.of_kind("X");
        let is_there = slices.any(|slice| {
            let end = nanoseconds(&slice["ts"]) + nanoseconds(&slice["dur"]);
            track_of(slice) == track_of(flow) && end == at
        });
        assert!(is_there, "{flow} is at no slice");
    }

    fn check_counters(&self) {
        let mut counts = BTreeMap::new();
        for event in self.of_kind("C") {
            let count = event["args"]["waiters"].as_u64().expect("a number");
            let before = counts.insert(text_of(&event["name"]), count).unwrap_or(0);
            // Who is handed a lock just as a part is written is in both, or in none.
            let is_next = before.abs_diff(count) == 1;
            assert!(is_next || !self.is_in_order, "{event}");
        }
        assert!(counts.values().all(|count| *count == 0), "{counts:?}");
    }
}

fn track_of(event: &Value) -> (u64, u64) {
    let number = |name: &str| event[name].as_u64().expect("a number");
    (number("pid"), number("tid"))
}

fn text_of(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time since the begin, rounded"
)]
fn nanoseconds(value: &Value) -> u64 {
    let time = value.as_f64().expect("a time");
    assert!(time >= 0.0, "{value} is before the begin");
    (time * 1000.0).round() as u64
}
