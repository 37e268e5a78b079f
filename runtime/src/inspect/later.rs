//! What takes its time: a profile, and a recording with the lines in which it is said.

use super::answer::Context;
use crate::json::Json;
use crate::profile::{Before, Profile, profile_with};
use crate::timeline::chrome::Drawing;
use crate::timeline::picture::Picture;
use crate::timeline::record::{self, Recording, Summary};
use std::fmt;
use std::time::Instant;

/// About how long a line is, in bytes.
const LINE: usize = 256 * 1024;

/// How much of a recording is said, in bytes.
const MOST: usize = 64 * 1024 * 1024 - 2 * LINE;

/// How long a profile as text may be, in bytes.
const PROFILE: usize = 1000 * 1024;

/// A profile or a recording that goes on, or is being said.
pub(super) enum Later {
    Profile(Before, Form, Instant),
    Recording(Recording, Instant),
    Said(Box<Said>),
}

/// How a profile is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Folded,
    Pprof,
}

/// What there is to be said of a recording.
#[derive(Debug)]
pub(super) struct Said {
    summary: Summary,
    one_in: usize,
    rest: Drawing,
    events: usize,
    bytes: usize,
}

impl Later {
    /// Begins to record; `None` if somebody does so already.
    pub(super) fn record(until: Instant, one_in: usize, context: Context) -> Option<Self> {
        let recording = Recording::begin(one_in, context.keys)?;
        Some(Self::Recording(recording, until))
    }

    /// What the flight recorder has.
    pub(super) fn last(context: Context) -> Self {
        Self::Said(Box::new(Said::new(record::last(context.keys))))
    }

    /// When there is something to say.
    pub(super) const fn due(&self) -> Option<Instant> {
        match self {
            Self::Profile(.., due) | Self::Recording(_, due) => Some(*due),
            Self::Said(_) => None,
        }
    }

    /// The next line, and what comes after it.
    pub(super) fn say(self, context: Context) -> (String, Option<Self>) {
        match self {
            Self::Profile(before, form, _) => {
                let profile = before.profile(context.keys);
                (form.write(&profile), None)
            }
            Self::Recording(recording, _) => {
                let said = Box::new(Said::new(recording.end()));
                Self::Said(said).say(context)
            }
            Self::Said(mut said) => match said.next_line() {
                Some(line) => (line, Some(Self::Said(said))),
                None => (said.last_line(), None),
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

impl Said {
    fn new(picture: Picture) -> Self {
        Self {
            summary: Summary::of(&picture),
            one_in: picture.one_in,
            rest: Drawing::new(picture),
            events: 0,
            bytes: 0,
        }
    }

    fn next_line(&mut self) -> Option<String> {
        let mut line = "{\"ev\":[".to_owned();
        let before = self.events;
        while self.bytes < MOST && line.len() < LINE {
            let Some(event) = self.rest.next() else {
                break;
            };
            if self.events > before {
                line.push(',');
            }
            line += &event;
            self.events += 1;
            self.bytes += event.len() + 1;
        }
        line += "]}";
        (self.events > before).then_some(line)
    }

    fn last_line(&mut self) -> String {
        let left_off = self.rest.by_ref().count() as u64;
        let mut json = Json::default();
        json.object(|json| {
            json.field("done").object(|json| {
                json.field("events").number(self.events);
                json.field("dropped")
                    .number(self.summary.dropped() + left_off);
                json.field("lasted_s").seconds(self.summary.lasted());
                json.field("one_in").number(self.one_in);
                json.field("holds").number(self.summary.holds());
                json.field("waits").number(self.summary.waits());
            });
        });
        json.into_text()
    }
}
