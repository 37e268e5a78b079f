//! The picture of holds and waits, as Chrome's JSON, which Perfetto and the browsers' own tools open.
//!
//! | process | tracks |
//! |---|---|
//! | 1, `locks` | one for each lock, and one more for each hold at the same time: slices of holds, named by their place in the code; how many wait, as a counter |
//! | 2, `threads` | one for each thread: slices of its waits |
//! | 3, `tasks` | waits as asynchronous slices, since branches of a task may wait at once |
//!
//! A flow leads from the end of a hold to the wait that it ended, if a thread waited.
//!
//! A first [walk] over the rows finds the tracks and the flows, a second one draws: at each begin and
//! each end, in the order of time. So what is needed beside the rows is a few bytes for each, and one
//! event of text at a time.

use super::picture::Picture;
use super::rows::{Row, What};
use super::tracks::{Lock, Track, Who};
use super::walk::{Step, Walk};
use crate::json::Json;
use crate::table::policy::Mode;
use std::collections::VecDeque;

const LOCKS: u64 = 1;
const THREADS: u64 = 2;
const TASKS: u64 = 3;

/// What is before the events of a picture.
pub(crate) fn head(picture: &Picture) -> String {
    let mut json = Json::default();
    json.object(|json| {
        json.field("displayTimeUnit").text("ms");
        json.field("otherData").object(|json| {
            json.field("lockutils").text(env!("CARGO_PKG_VERSION"));
            json.field("one_in").number(picture.one_in);
            json.field("dropped").number(picture.dropped);
            json.field("lasted_s")
                .seconds(picture.span.from.until(picture.span.to));
        });
        json.field("traceEvents").array([(); 0], |_, ()| {});
    });
    let mut text = json.into_text();
    text.truncate(text.len() - "]}".len());
    text
}

/// What is behind them.
pub(crate) const TAIL: &str = "]}\n";

/// The events of a picture, one after the other, each an object of JSON.
#[derive(Debug)]
pub(crate) struct Drawing {
    picture: Picture,
    locks: Vec<Lock>,
    lock_of: Vec<u32>,
    people: Vec<Who>,
    who_of: Vec<u32>,
    tracks: Vec<Track>,
    /// The track of a hold, and of a wait the flow that leads to it, from 1.
    link_of: Vec<u32>,
    /// The flows that leave a hold, in the order of holds.
    flows: Vec<(u32, u32)>,
    /// How many wait for each lock.
    waiters: Vec<u32>,
    walk: Walk,
    /// What is drawn next, before the walk goes on.
    events: VecDeque<String>,
}

impl Drawing {
    /// Of a picture that is sorted.
    pub(crate) fn new(picture: Picture) -> Self {
        let rows = &picture.rows;
        let (locks, lock_of) = Lock::all(rows, picture.keys);
        let (people, who_of) = Who::all(rows);
        let (waiters, link_of) = (vec![0; locks.len()], vec![0; rows.len()]);
        let mut drawing = Self {
            picture,
            locks,
            lock_of,
            people,
            who_of,
            tracks: Vec::new(),
            link_of,
            flows: Vec::new(),
            waiters,
            walk: Walk::default(),
            events: VecDeque::new(),
        };
        drawing.find_links();
        drawing.name_tracks();
        drawing
    }

    /// Finds the track of each hold, and the flow to each wait of a thread.
    fn find_links(&mut self) {
        // The number of each track, and the last hold of each lock that has ended, and when.
        let mut track_of: Vec<Vec<u32>> = self.locks.iter().map(|_| Vec::new()).collect();
        let mut last: Vec<Option<(u32, u64)>> = vec![None; self.locks.len()];
        let mut flow = 0;
        while let Some((index, step, at)) = self.walk.next(&self.picture) {
            let row = &self.picture.rows[index];
            let lock = self.lock_of[index] as usize;
            match (step, row.what) {
                (Step::Begin, What::Hold | What::LastingHold) => {
                    let (from, to) = self.picture.times(row);
                    let lane = self.locks[lock].lane(from, to);
                    if lane == track_of[lock].len() {
                        track_of[lock].push(number(self.tracks.len()));
                        self.tracks.push(Track { lock, lane });
                    }
                    self.link_of[index] = track_of[lock][lane];
                }
                (Step::End, What::Hold) if row.to <= self.picture.span.to.nanoseconds() => {
                    last[lock] = Some((number(index), at));
                }
                (Step::End, What::Wait(_)) if self.is_thread(index) => {
                    let (from, _) = self.picture.times(row);
                    if let Some((hold, _)) = last[lock].filter(|(_, at)| *at >= from) {
                        flow += 1;
                        self.flows.push((hold, flow));
                        self.link_of[index] = flow;
                    }
                }
                _ => {}
            }
        }
        self.flows.sort_unstable();
        self.walk = Walk::default();
    }

    fn is_thread(&self, index: usize) -> bool {
        let who = &self.people[self.who_of[index] as usize];
        matches!(who, Who::Thread { .. })
    }

    fn name_tracks(&mut self) {
        let mut events = VecDeque::new();
        let mut name = |process, track: Option<u64>, name: &str| {
            events.push_back(event("M", process, track, None, |json| {
                let kind = track.map_or("process_name", |_| "thread_name");
                json.field("name").text(kind);
                json.field("args")
                    .object(|json| json.field("name").text(name));
            }));
        };
        name(LOCKS, None, "locks");
        name(THREADS, None, "threads");
        name(TASKS, None, "tasks");
        for (number, Track { lock, lane }) in self.tracks.iter().enumerate() {
            let lock = &self.locks[*lock].name;
            let more = format!("{lock} ({})", lane + 1);
            let text = if *lane == 0 { lock } else { &more };
            name(LOCKS, Some(track_id(number)), text);
        }
        for who in &self.people {
            if let Who::Thread { id, name: text } = who {
                name(THREADS, Some(*id), text);
            }
        }
        self.events = events;
    }

    /// Draws what begins or ends.
    fn draw(&mut self, index: usize, step: Step, at: u64) {
        if self.picture.rows[index].is_hold() {
            match step {
                Step::Begin => self.draw_hold(index),
                Step::End => self.draw_flows(index, at),
            }
            return;
        }
        let lock = self.lock_of[index] as usize;
        match step {
            Step::Begin => self.waiters[lock] += 1,
            Step::End => self.waiters[lock] -= 1,
        }
        self.draw_wait(index, step, at);
        let (waiters, name) = (self.waiters[lock] as usize, &self.locks[lock].name);
        self.events
            .push_back(event("C", LOCKS, None, Some(at), |json| {
                json.field("name").text(format_args!("waiters {name}"));
                json.field("args")
                    .object(|json| json.field("waiters").number(waiters));
            }));
    }

    fn draw_hold(&mut self, index: usize) {
        let row = &self.picture.rows[index];
        let (from, to) = self.picture.times(row);
        let track = track_id(self.link_of[index] as usize);
        let who = &self.people[self.who_of[index] as usize];
        let is_more = self.picture.is_seen || self.picture.is_cut(row);
        let event = event("X", LOCKS, Some(track), Some(from), |json| {
            json.field("dur").microseconds(to - from);
            json.field("name").text(row.record.site);
            json.field("cat").text("hold");
            json.field("args").object(|json| {
                who.write(json);
                write_mode(row, json);
                if is_more {
                    json.field("held").text("at least");
                }
            });
        });
        self.events.push_back(event);
    }

    /// Draws the beginnings of the flows that leave a hold.
    fn draw_flows(&mut self, index: usize, at: u64) {
        let hold = number(index);
        let first = self.flows.partition_point(|(from, _)| *from < hold);
        let track = track_id(self.link_of[index] as usize);
        let flows = self.flows[first..].iter();
        for (_, flow) in flows.take_while(|(from, _)| *from == hold) {
            self.events
                .push_back(flow_event("s", LOCKS, track, at, *flow));
        }
    }

    /// Draws what is at the begin of a wait, or at its end.
    fn draw_wait(&mut self, index: usize, step: Step, at: u64) {
        let row = &self.picture.rows[index];
        let (from, to) = self.picture.times(row);
        let who = &self.people[self.who_of[index] as usize];
        let lock = &self.locks[self.lock_of[index] as usize].name;
        let details = |json: &mut Json| {
            json.field("name").text(format_args!("waits for {lock}"));
            json.field("cat").text("wait");
            json.field("args").object(|json| {
                json.field("lock").text(lock);
                json.field("site").text(row.record.site);
                json.field("outcome").text(match row.what {
                    What::Wait(outcome) => outcome.name(),
                    _ => "waits still",
                });
                who.write(json);
                write_mode(row, json);
            });
        };
        let flow = self.link_of[index];
        let event = match (who, step) {
            (Who::Thread { id, .. }, Step::Begin) => {
                event("X", THREADS, Some(*id), Some(from), |json| {
                    json.field("dur").microseconds(to - from);
                    details(json);
                })
            }
            (Who::Thread { id, .. }, Step::End) if flow > 0 => {
                flow_event("f", THREADS, *id, at, flow)
            }
            (Who::Thread { .. }, Step::End) => return,
            (Who::Task { .. } | Who::Unknown, _) => {
                let task = u64::from(self.who_of[index]) + 1;
                let kind = if step == Step::Begin { "b" } else { "e" };
                event(kind, TASKS, Some(task), Some(at), |json| {
                    json.field("id").number(index + 1);
                    details(json);
                })
            }
        };
        self.events.push_back(event);
    }
}

impl Iterator for Drawing {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        while self.events.is_empty() {
            let (index, step, at) = self.walk.next(&self.picture)?;
            self.draw(index, step, at);
        }
        self.events.pop_front()
    }
}

impl Who {
    fn write(&self, json: &mut Json) {
        match self {
            Self::Thread { name, .. } => json.field("thread").text(name),
            Self::Task { label: Some(label) } => json.field("task").text(label),
            Self::Task { label: None } => json.field("task").text("unnamed"),
            Self::Unknown => {}
        }
    }
}

fn write_mode(row: &Row, json: &mut Json) {
    if row.mode == Mode::Shared {
        json.field("mode").text("shared");
    }
}

fn event(
    kind: &str,
    process: u64,
    track: Option<u64>,
    at: Option<u64>,
    fields: impl FnOnce(&mut Json),
) -> String {
    let mut json = Json::default();
    json.object(|json| {
        json.field("ph").text(kind);
        json.field("pid").number(process);
        if let Some(track) = track {
            json.field("tid").number(track);
        }
        if let Some(at) = at {
            json.field("ts").microseconds(at);
        }
        fields(json);
    });
    json.into_text()
}

fn flow_event(kind: &str, process: u64, track: u64, at: u64, flow: u32) -> String {
    event(kind, process, Some(track), Some(at), |json| {
        if kind == "f" {
            json.field("bp").text("e");
        }
        json.field("id").number(flow);
        json.field("name").text("hand-over");
        json.field("cat").text("lock");
    })
}

/// The id of a track of locks, from 1.
const fn track_id(number: usize) -> u64 {
    number as u64 + 1
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("rows are bounded")
}
