//! What can be asked for, and the answers.

use crate::file::line_at;
use crate::json::Json;
use crate::json::lock;
use crate::name::Keys;
use crate::profile::profile_with;
use crate::report::{Cause, report_of, report_with};
use crate::snapshot::Snapshot;
use crate::stats::stats;
use std::path::Path;
use std::time::Instant;

/// Writes an answer, an object.
pub(super) type Answer = fn(&Ask, &mut Json);

/// What can be asked for, by name: with `get` once, and with `watch` again and again.
pub(super) const ANSWERS: [(&str, Answer); 4] = [
    ("locks", locks),
    ("metrics", metrics),
    ("profile", profile),
    ("why", why),
];

/// How many locks are shown to who sets no limit.
pub(super) const LOCKS: usize = 200;

/// How many waiters of a lock are shown.
const QUEUE: usize = 20;

/// How much of a text has room beside the same as data, in bytes.
const TEXT: usize = 256 * 1024;

/// How long the metrics may be, in bytes, and how long as JSON.
const METRICS: usize = 900 * 1024;
const ROOM: usize = 1000 * 1024;

/// What the server knows beside the locks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) keys: Keys,
    /// Since when it serves.
    pub(super) since: Instant,
}

/// What somebody wants to know.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) answer: Answer,
    pub(super) limit: usize,
    /// The space and the key of a lock that all is about.
    pub(super) lock: Option<(String, String)>,
    pub(super) context: Context,
}

impl Ask {
    pub(super) fn answer(&self) -> String {
        let mut json = Json::default();
        (self.answer)(self, &mut json);
        json.into_text()
    }
}

/// How a thing is answered; `None` if there is no such thing.
pub(super) fn find(what: &str) -> Option<Answer> {
    let (_, answer) = ANSWERS.iter().find(|(name, _)| *name == what)?;
    Some(*answer)
}

/// The answer to who asks once, with no limit of its own; `None` if there is no such thing.
pub(super) fn get(what: &str, context: Context) -> Option<String> {
    let ask = Ask {
        answer: find(what)?,
        limit: LOCKS,
        lock: None,
        context,
    };
    Some(ask.answer())
}

/// All locks that are held or awaited.
fn locks(ask: &Ask, json: &mut Json) {
    let Snapshot {
        locks,
        left_off,
        waiters,
    } = Snapshot::take(ask.limit, QUEUE);
    let held = locks.len() + left_off;
    json.object(|json| {
        let no_room = json.field("locks").array(&locks, |json, state| {
            lock::state(state, ask.context.keys, json);
        });
        json.field("left_off").number(left_off + no_room);
        json.field("held").number(held);
        json.field("waiters").number(waiters);
        json.field("at_s").seconds(ask.context.since.elapsed());
    });
}

/// Why locks are waited for, as data and as text.
fn why(ask: &Ask, json: &mut Json) {
    let keys = ask.context.keys;
    let Some((space, key)) = &ask.lock else {
        let report = report_with(keys);
        return json.object(|json| {
            report.write_json(json.field("why"));
            json.field("text").long_text(&report, TEXT);
        });
    };
    // Another process may know the file by another path.
    let file = Path::new(space).is_absolute();
    let file = file.then(|| line_at(&Path::new(space).join(key))).flatten();
    let report = match &file {
        Some((space, key)) => report_of(keys, (space, key.as_str())),
        None => report_of(keys, (space, key)),
    };
    let causes = report.causes().iter().map(Cause::to_string);
    let causes: Vec<_> = causes.collect();
    json.object(|json| {
        report.write_json(json.field("why"));
        json.field("text").long_text(causes.join("\n\n"), TEXT);
    });
}

/// What locks have cost, as Prometheus has it.
fn metrics(_: &Ask, json: &mut Json) {
    let mut text = stats().to_prometheus();
    if text.len() > METRICS {
        // Nobody reads half of a line.
        let end = text.as_bytes()[..METRICS]
            .iter()
            .rposition(|byte| *byte == b'\n');
        text.truncate(end.map_or(0, |end| end + 1));
        text.push_str("# there is no room for the rest\n");
    }
    json.object(|json| json.field("metrics").long_text(text, ROOM));
}

/// Where in the code locks cost others their time, as data and as text.
fn profile(ask: &Ask, json: &mut Json) {
    let profile = profile_with(ask.context.keys);
    json.object(|json| profile.write_json(json));
}
