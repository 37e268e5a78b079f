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
//!
//! A picture may be drawn in parts, one after the other. Each has what has ended by then, and [`carry`](super::carry)
//! what has to be known of the ones before. Within a part events are in the order of time; what goes on at
//! the end of one comes in a later one, with the moment at which it began.

use super::carry::{Carry, Ended};
use super::picture::Picture;
use super::rows::{Row, What};
use super::tracks::{Lock, Who};
use super::walk::{Step, Walk};
use crate::json::Json;
use crate::ordered::sort;
use crate::table::policy::Mode;
use std::collections::VecDeque;
use std::time::Duration;

const LOCKS: u64 = 1;
const THREADS: u64 = 2;
const TASKS: u64 = 3;

/// What is before the events of a picture.
pub(crate) const HEAD: &str = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";

/// What is behind them, about the whole of it.
#[inline]
pub(crate) fn tail(one_in: usize, dropped: u64, lasted: Duration) -> String {
    let mut json = Json::default();
    json.object(|json| {
        json.field("lockutils").text(env!("CARGO_PKG_VERSION"));
        json.field("one_in").number(one_in);
        json.field("dropped").number(dropped);
        json.field("lasted_s").seconds(lasted);
    });
    format!("],\"otherData\":{}}}\n", json.into_text())
}

/// The events of a picture, one after the other, each an object of JSON.
#[derive(Debug)]
pub(crate) struct Drawing {
    picture: Picture,
    locks: Vec<Lock>,
    lock_of: Vec<u32>,
    people: Vec<Who>,
    who_of: Vec<u32>,
    /// The track of a hold, and of a wait the flow that leads to it, from 1.
    link_of: Vec<u32>,
    /// The holds that are the first of a track, and how many the lock has then, in the order of holds.
    firsts: VecDeque<(u32, usize)>,
    /// The flows that leave a hold, in the order of holds.
    flows: Vec<(u32, u32)>,
    walk: Walk,
    carry: Carry,
    /// What is drawn next, before the walk goes on.
    events: VecDeque<String>,
}

impl Drawing {
    /// Of a picture that is sorted, after the parts of it that are drawn.
    #[inline]
    pub(crate) fn new(picture: Picture, mut carry: Carry) -> Self {
        let rows = &picture.rows;
        let (locks, lock_of) = Lock::all(rows, &mut carry);
        let (people, who_of) = Who::all(rows);
        let link_of = vec![0; rows.len()];
        let mut drawing = Self {
            picture,
            locks,
            lock_of,
            people,
            who_of,
            link_of,
            firsts: VecDeque::new(),
            flows: Vec::new(),
            walk: Walk::default(),
            carry,
            events: VecDeque::new(),
        };
        drawing.name_people();
        drawing.find_links();
        drawing
    }

    /// Whether some events of a hold or a wait have come, and others haven't.
    #[cfg(all(feature = "inspect", unix))]
    #[inline]
    pub(crate) fn is_within(&self) -> bool {
        !self.events.is_empty()
    }

    /// How many holds and waits aren't drawn yet.
    #[cfg(all(feature = "inspect", unix))]
    #[inline]
    pub(crate) fn left(&self) -> (usize, usize) {
        self.picture.counts_after(self.walk.begun())
    }

    /// What the next part has to know, when all of this one is drawn.
    #[inline]
    pub(crate) fn into_carry(self) -> Carry {
        let Self {
            picture,
            locks,
            people,
            mut carry,
            ..
        } = self;
        let rows = picture.rows;
        carry.is_begun = true;
        carry.tasks += people.len();
        carry.rows += rows.len();
        carry.keep(locks.into_iter().map(|lock| {
            let row = &rows[lock.row];
            (row.space, row.key.clone(), lock.lanes, lock.is_open)
        }));
        if picture.is_crowded {
            carry.forget();
        }
        carry
    }

    /// Finds the track of each hold, and the flow to each wait of a thread.
    #[inline]
    fn find_links(&mut self) {
        while let Some((index, step, at)) = self.walk.next(&self.picture) {
            let row = &self.picture.rows[index];
            let times = self.picture.times(row);
            let lock = self.lock_of[index] as usize;
            if step == Step::Begin && !row.is_hold() && self.picture.is_counted(row) {
                self.locks[lock].waiters += 1;
            }
            match (step, row.what) {
                (_, What::OpenHold | What::OpenWait) => self.locks[lock].is_open = true,
                (Step::Begin, What::Hold | What::LastingHold) => self.place(index, times),
                (Step::End, What::Hold) if row.to <= self.picture.span.to.nanoseconds() => {
                    self.locks[lock].lanes.last = Some(Ended {
                        row: Some(number(index)),
                        track: self.link_of[index],
                        at,
                    });
                }
                (Step::End, What::Wait(_)) if self.is_thread(index) => self.link(index, times),
                _ => {}
            }
        }
        sort(&mut self.flows, Ord::cmp);
        self.walk = Walk::default();
    }

    /// Finds the track of a hold.
    #[inline]
    fn place(&mut self, index: usize, (from, to): (u64, u64)) {
        let lock = &mut self.locks[self.lock_of[index] as usize];
        let (track, new) = lock.lanes.place(from, to, &mut self.carry.tracks);
        self.link_of[index] = track;
        self.firsts.extend(new.map(|count| (number(index), count)));
    }

    /// Names the track of a hold, if it is the first one there.
    #[inline]
    fn name_track(&mut self, index: usize) {
        let first = self.firsts.front().copied();
        let Some((_, count)) = first.filter(|(hold, _)| *hold == number(index)) else {
            return;
        };
        self.firsts.pop_front();
        let lock = self.name_of_lock(index);
        let name = match count {
            1 => lock,
            _ => format!("{lock} ({count})"),
        };
        let track = track_id(self.link_of[index]);
        self.events.push_back(name_event(LOCKS, Some(track), &name));
    }

    /// What the lock of a row is called.
    #[inline]
    fn name_of_lock(&self, index: usize) -> String {
        let lock = &self.locks[self.lock_of[index] as usize];
        lock.name(&self.picture.rows, self.picture.keys)
    }

    /// Finds the flow to a wait of a thread.
    #[inline]
    fn link(&mut self, index: usize, (from, to): (u64, u64)) {
        let last = self.locks[self.lock_of[index] as usize].lanes.last;
        let Some(Ended { row, track, at }) = last.filter(|last| (from..=to).contains(&last.at))
        else {
            return;
        };
        self.carry.flows += 1;
        let flow = self.carry.flows;
        self.link_of[index] = flow;
        match row {
            Some(hold) => self.flows.push((hold, flow)),
            // That part is drawn.
            None => self
                .events
                .push_back(flow_event("s", LOCKS, track_id(track), at, flow)),
        }
    }

    #[inline]
    fn is_thread(&self, index: usize) -> bool {
        let who = &self.people[self.who_of[index] as usize];
        matches!(who, Who::Thread { .. })
    }

    #[inline]
    fn name_people(&mut self) {
        if !self.carry.is_begun {
            let processes = [(LOCKS, "locks"), (THREADS, "threads"), (TASKS, "tasks")];
            let names = processes.map(|(process, name)| name_event(process, None, name));
            self.events.extend(names);
        }
        for who in &self.people {
            if let Who::Thread { id, name } = who {
                self.events.push_back(name_event(THREADS, Some(*id), name));
            }
        }
    }

    /// Draws what begins or ends.
    #[inline]
    fn draw(&mut self, index: usize, step: Step, at: u64) {
        let row = &self.picture.rows[index];
        if row.is_hold() {
            match step {
                _ if row.is_open() => {}
                Step::Begin => {
                    self.name_track(index);
                    self.draw_hold(index);
                }
                Step::End => self.draw_flows(index, at),
            }
            return;
        }
        let lock = &mut self.locks[self.lock_of[index] as usize];
        let is_counted = step == Step::Begin && self.picture.is_counted(row);
        match step {
            Step::Begin if is_counted => {}
            Step::Begin => lock.waiters += 1,
            Step::End if row.is_open() => return, // It waits still.
            Step::End => lock.waiters -= 1,
        }
        let waiters = lock.waiters;
        if !row.is_open() {
            self.draw_wait(index, step, at);
        }
        if is_counted {
            return;
        }
        let lock = self.name_of_lock(index);
        self.events
            .push_back(event("C", LOCKS, None, Some(at), |json| {
                json.field("name").text(format_args!("waiters {lock}"));
                json.field("args")
                    .object(|json| json.field("waiters").number(waiters));
            }));
    }

    #[inline]
    fn draw_hold(&mut self, index: usize) {
        let row = &self.picture.rows[index];
        let (from, to) = self.picture.times(row);
        let track = track_id(self.link_of[index]);
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
    #[inline]
    fn draw_flows(&mut self, index: usize, at: u64) {
        let hold = number(index);
        let first = self.flows.partition_point(|(from, _)| *from < hold);
        let track = track_id(self.link_of[index]);
        let flows = self.flows[first..].iter();
        for (_, flow) in flows.take_while(|(from, _)| *from == hold) {
            self.events
                .push_back(flow_event("s", LOCKS, track, at, *flow));
        }
    }

    /// Draws what is at the begin of a wait, or at its end.
    #[inline]
    fn draw_wait(&mut self, index: usize, step: Step, at: u64) {
        let row = &self.picture.rows[index];
        let (from, to) = self.picture.times(row);
        let who = &self.people[self.who_of[index] as usize];
        let lock = &self.name_of_lock(index);
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
                let task = self.carry.tasks as u64 + u64::from(self.who_of[index]) + 1;
                let kind = if step == Step::Begin { "b" } else { "e" };
                event(kind, TASKS, Some(task), Some(at), |json| {
                    json.field("id").number(self.carry.rows + index + 1);
                    details(json);
                })
            }
        };
        self.events.push_back(event);
    }
}

impl Iterator for Drawing {
    type Item = String;

    #[inline]
    fn next(&mut self) -> Option<String> {
        while self.events.is_empty() {
            let (index, step, at) = self.walk.next(&self.picture)?;
            self.draw(index, step, at);
        }
        self.events.pop_front()
    }
}

impl Who {
    #[inline]
    fn write(&self, json: &mut Json) {
        match self {
            Self::Thread { name, .. } => json.field("thread").text(name),
            Self::Task { label: Some(label) } => json.field("task").text(label),
            Self::Task { label: None } => json.field("task").text("unnamed"),
            Self::Unknown => {}
        }
    }
}

#[inline]
fn write_mode(row: &Row, json: &mut Json) {
    if row.mode == Mode::Shared {
        json.field("mode").text("shared");
    }
}

#[inline]
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

#[inline]
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

/// The name of a process, or of a track of it.
#[inline]
fn name_event(process: u64, track: Option<u64>, name: &str) -> String {
    event("M", process, track, None, |json| {
        let kind = track.map_or("process_name", |_| "thread_name");
        json.field("name").text(kind);
        json.field("args")
            .object(|json| json.field("name").text(name));
    })
}

/// The id of a track of locks, from 1.
#[inline]
fn track_id(number: u32) -> u64 {
    u64::from(number) + 1
}

#[inline]
fn number(index: usize) -> u32 {
    u32::try_from(index).expect("rows are bounded")
}
