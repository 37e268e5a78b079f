//! What takes its time: a profile, and a recording with the lines in which it is said.

use super::answer::Context;
use crate::json::Json;
use crate::profile::{Before, Profile, profile_with};
use crate::timeline::carry::Carry;
use crate::timeline::chrome::Drawing;
use crate::timeline::picture::Picture;
use crate::timeline::record::{self, Recording, Summary};
use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

/// About how long a line is, in bytes.
const LINE: usize = 256 * 1024;

/// How much of a recording is said, in bytes.
const MOST: usize = 64 * 1024 * 1024 - 2 * LINE;

/// How long a profile as text may be, in bytes.
const PROFILE: usize = 1000 * 1024;

/// How long it is from one look at how much is recorded to the next.
const PAUSE: Duration = Duration::from_millis(50);

/// A profile or a timeline that goes on, or is being said.
pub(super) enum Later {
    Profile(Before, Form, Instant),
    Timeline(Box<Timeline>),
}

/// How a profile is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Folded,
    Pprof,
}

/// A recording that goes on, and what there is to be said of it.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Until when, and when it is looked at next; none if all is there.
    recording: Option<(Recording, Instant, Instant)>,
    summary: Summary,
    one_in: usize,
    /// The part of it that is being said.
    part: Option<Drawing>,
    carry: Carry,
    events: usize,
    /// How many bytes there is room for still.
    room: usize,
    /// How many holds and waits there was no room for.
    left_off: (usize, usize),
}

impl Later {
    /// Begins to record; `None` if somebody does so already.
    pub(super) fn record(until: Instant, one_in: usize, context: Context) -> Option<Self> {
        let recording = Recording::begin(one_in, context.keys)?;
        let timeline = Timeline {
            one_in: recording.is_one_in(),
            recording: Some((recording, until, Instant::now())),
            summary: Summary::default(),
            part: None,
            carry: Carry::default(),
            events: 0,
            room: MOST,
            left_off: (0, 0),
        };
        Some(Self::Timeline(Box::new(timeline)))
    }

    /// What the flight recorder has.
    pub(super) fn last(context: Context) -> Self {
        let picture = record::last(context.keys);
        Self::Timeline(Box::new(Timeline::of(picture, MOST)))
    }

    /// When there may be something to say; none if it is to be said at once.
    pub(super) fn due(&self) -> Option<Instant> {
        match self {
            Self::Profile(.., due) => Some(*due),
            Self::Timeline(timeline) if timeline.part.is_some() => None,
            Self::Timeline(timeline) => {
                let (_, until, next) = timeline.recording.as_ref()?;
                Some(*until.min(next))
            }
        }
    }

    /// The next line, if there is one by now, and what comes after it.
    pub(super) fn say(self, context: Context) -> (Option<String>, Option<Self>) {
        match self {
            Self::Profile(before, form, _) => {
                let profile = before.profile(context.keys);
                (Some(form.write(&profile)), None)
            }
            Self::Timeline(mut timeline) => match timeline.next_line() {
                Some(line) => (Some(line), Some(Self::Timeline(timeline))),
                None if timeline.recording.is_some() => (None, Some(Self::Timeline(timeline))),
                None => (Some(timeline.last_line()), None),
            },
        }
    }
}

impl Form {
    /// What it is called in a request.
    pub(super) const ALL: [(&str, Self); 3] = [
        ("json", Self::Json),
        ("folded", Self::Folded),
        ("pprof", Self::Pprof),
    ];

    /// All that has been counted.
    pub(super) fn of_all(self, context: Context) -> String {
        self.write(&profile_with(context.keys))
    }

    fn write(self, profile: &Profile) -> String {
        let mut json = Json::default();
        let mut bytes = Vec::new();
        json.object(|json| match self {
            Self::Json => profile.write_json(json),
            Self::Folded => {
                profile.write_folded(&mut bytes).expect("memory takes all");
                let text = String::from_utf8_lossy(&bytes);
                json.field("folded").long_text(text, PROFILE);
            }
            Self::Pprof => {
                profile.write_pprof(&mut bytes).expect("memory takes all");
                json.field("pprof").long_text(Hex(&bytes), PROFILE);
            }
        });
        json.into_text()
    }
}

/// Bytes as text: two digits each.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Timeline {
    /// Of what is recorded already.
    fn of(picture: Picture, room: usize) -> Self {
        Self {
            recording: None,
            summary: Summary::of(&picture),
            one_in: 1,
            part: Some(Drawing::new(picture, Carry::default())),
            carry: Carry::default(),
            events: 0,
            room,
            left_off: (0, 0),
        }
    }

    /// What there is by now, or a part of that.
    fn next_line(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.line_of_part() {
                return Some(line);
            }
            if let Some(part) = self.part.take() {
                self.leave_off(part.left());
                self.carry = part.into_carry();
            }
            let (mut recording, until, _) = self.recording.take()?;
            let now = Instant::now();
            let part = if now >= until {
                let (part, summary) = recording.end();
                self.summary = summary;
                part
            } else {
                let part = recording.next_part();
                self.recording = Some((recording, until, now + PAUSE));
                part?
            };
            if self.room == 0 {
                self.leave_off(part.counts());
                return None;
            }
            self.part = Some(Drawing::new(part, mem::take(&mut self.carry)));
        }
    }

    fn line_of_part(&mut self) -> Option<String> {
        let part = self.part.as_mut()?;
        let mut line = "{\"ev\":[".to_owned();
        let before = self.events;
        // A hold or a wait is said as a whole.
        while (self.room > 0 || part.is_within()) && line.len() < LINE {
            let Some(event) = part.next() else {
                break;
            };
            if self.events > before {
                line.push(',');
            }
            line += &event;
            self.events += 1;
            self.room = self.room.saturating_sub(event.len() + 1);
        }
        line += "]}";
        (self.events > before).then_some(line)
    }

    fn leave_off(&mut self, (holds, waits): (usize, usize)) {
        self.left_off.0 += holds;
        self.left_off.1 += waits;
    }

    fn last_line(mut self) -> String {
        self.summary.drop_some(self.left_off);
        let mut json = Json::default();
        json.object(|json| {
            json.field("done").object(|json| {
                json.field("events").number(self.events);
                json.field("dropped").number(self.summary.dropped());
                json.field("lasted_s").seconds(self.summary.lasted());
                json.field("one_in").number(self.one_in);
                json.field("holds").number(self.summary.holds());
                json.field("waits").number(self.summary.waits());
            });
        });
        json.into_text()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::name::Keys;
    use crate::observe::outcome::Outcome;
    use crate::owner::Owner;
    use crate::site::{Record, Site};
    use crate::table::moment::Moment;
    use crate::table::policy::Mode;
    use crate::timeline::rows::{Over, Row, Span, What, kept_key};

    #[test]
    fn what_there_is_no_room_for_is_counted_once() {
        let now = Moment::now();
        let span = Span { from: now, to: now };
        let row = |number: usize| {
            let record = Record {
                owner: Owner::thread(),
                site: Site::here(),
            };
            let what = match number % 3 {
                0 => What::Wait(Outcome::Acquired),
                _ => What::Hold,
            };
            let over = Over {
                record,
                mode: Mode::Exclusive,
                span,
                what,
            };
            Row::new((0, kept_key(Key::new(number).as_bytes())), over)
        };
        for room in [0, 1, 500, 1000, 3000, usize::MAX] {
            let mut timeline = Timeline::of(
                Picture {
                    rows: (0..30).map(row).collect(),
                    span,
                    since: None,
                    is_crowded: false,
                    keys: Keys::Plain,
                    is_seen: false,
                },
                room,
            );
            let said: String = std::iter::from_fn(|| timeline.next_line()).collect();
            let count = |what: &str| said.matches(&format!("\"cat\":\"{what}\"")).count();
            let (holds, waits) = (count("hold"), count("wait"));
            assert_eq!(holds + waits == 30, room == usize::MAX, "{said}");
            let done = timeline.last_line();
            let dropped = 30 - holds - waits;
            for (name, number) in [("holds", holds), ("waits", waits), ("dropped", dropped)] {
                assert!(done.contains(&format!("\"{name}\":{number}")), "{done}");
            }
        }
    }
}
