//! What can be asked for, and the answers.

use crate::json::Json;
use crate::json::lock;
use crate::json::read::{self, Value};
use crate::name::Keys;
use crate::profile::profile_with;
use crate::report::report_with;
use crate::snapshot::Snapshot;
use crate::stats::stats;
use std::time::{Duration, Instant};

/// Writes an answer, an object.
type Answer = fn(&Ask, &mut Json);

/// What can be asked for, by name: with `get` once, and with `watch` again and again.
const ANSWERS: [(&str, Answer); 4] = [
    ("locks", locks),
    ("metrics", metrics),
    ("profile", profile),
    ("why", why),
];

/// How many locks are shown without a `limit`, and at most.
const LOCKS: usize = 200;
const MOST_LOCKS: u16 = 1000;

/// How many waiters of a lock are shown.
const QUEUE: usize = 20;

/// How much of a text has room beside the same as data, in bytes.
const TEXT: usize = 256 * 1024;

/// How long the metrics may be, in bytes.
const METRICS: usize = 1000 * 1024;

/// How often somebody who watches is told at most, and without `every_ms`.
const SOONEST: Duration = Duration::from_millis(100);
const USUAL: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(3600);

/// What the server knows beside the locks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) keys: Keys,
    /// Since when it serves.
    pub(super) since: Instant,
}

/// What somebody wants to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    answer: Answer,
    limit: usize,
    context: Context,
}

#[derive(Debug)]
pub(super) enum Request {
    Get(Ask),
    Watch(Ask, Duration),
}

impl Ask {
    pub(super) fn answer(&self) -> String {
        let mut json = Json::default();
        (self.answer)(self, &mut json);
        json.into_text()
    }
}

/// What is said of a request that has no answer.
pub(super) fn error(text: &str) -> String {
    let mut json = Json::default();
    json.object(|json| json.field("error").text(text));
    json.into_text()
}

/// Reads a request.
pub(super) fn read(line: &[u8], context: Context) -> Result<Request, String> {
    let line = std::str::from_utf8(line).map_err(|_| "a request is to be UTF-8")?;
    let fields = read::fields(line)?;
    let mut verbs = fields.iter();
    let verb = verbs.find(|(name, _)| ["get", "watch"].contains(&&**name));
    let Some((verb, what)) = verb else {
        return Err("expected a field `get` or `watch`".to_owned());
    };
    let known = ANSWERS.iter();
    let answer = known.clone().find(|(name, _)| match what {
        Value::Text(what) => what == name,
        _ => false,
    });
    let Some((_, answer)) = answer else {
        let known: Vec<_> = known.map(|(name, _)| format!("\"{name}\"")).collect();
        return Err(format!("`{verb}` is to be one of {}", known.join(", ")));
    };
    let number = |name: &str| {
        let field = fields.iter().find(|(field, _)| field == name);
        field.map_or(Ok(None), |(_, value)| match value {
            Value::Number(number) if *number >= 0.0 => Ok(Some(*number)),
            _ => Err(format!("`{name}` is to be a number that isn't negative")),
        })
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is limited, and not negative"
    )]
    let limit = number("limit")?.map_or(LOCKS, |limit| limit.min(MOST_LOCKS.into()) as usize);
    let ask = Ask {
        answer: *answer,
        limit,
        context,
    };
    if verb == "get" {
        return Ok(Request::Get(ask));
    }
    let every = number("every_ms")?.map(|millis| Duration::try_from_secs_f64(millis / 1000.0));
    let every = every.map_or(USUAL, |every| every.unwrap_or(LATEST));
    Ok(Request::Watch(ask, every.clamp(SOONEST, LATEST)))
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
    let report = report_with(ask.context.keys);
    json.object(|json| {
        report.write_json(json.field("why"));
        json.field("text").long_text(&report, TEXT);
    });
}

/// What locks have cost, as Prometheus has it.
fn metrics(_: &Ask, json: &mut Json) {
    let text = stats().to_prometheus();
    json.object(|json| json.field("metrics").long_text(text, METRICS));
}

/// Where in the code locks cost others their time, as data and as text.
fn profile(ask: &Ask, json: &mut Json) {
    let profile = profile_with(ask.context.keys);
    json.object(|json| profile.write_json(json));
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn context() -> Context {
        Context {
            keys: Keys::Plain,
            since: Instant::now(),
        }
    }

    fn read(line: &str) -> Result<Request, String> {
        super::read(line.as_bytes(), context())
    }

    #[test]
    fn request_is_told_by_its_verb_and_unknown_fields_are_ignored() {
        let get = read(r#"{"id":7,"get":"locks","x":{"get":"why"},"limit":1e9}"#).unwrap();
        assert!(
            matches!(get, Request::Get(Ask { limit: 1000, .. })),
            "{get:?}"
        );
        let watch = read(r#"{"watch":"why","every_ms":250}"#).unwrap();
        let every = Duration::from_millis(250);
        assert!(
            matches!(watch, Request::Watch(_, found) if found == every),
            "{watch:?}"
        );
        for (text, wanted) in [("0", SOONEST), ("1e99", LATEST)] {
            let watch = read(&format!("{{\"watch\":\"locks\",\"every_ms\":{text}}}")).unwrap();
            assert!(
                matches!(watch, Request::Watch(_, found) if found == wanted),
                "{watch:?}"
            );
        }
    }

    #[test]
    fn wrong_request_is_told_what_there_is() {
        for (request, part) in [
            ("{}", "expected a field `get` or `watch`"),
            (
                r#"{"get":"keys"}"#,
                "one of \"locks\", \"metrics\", \"profile\", \"why\"",
            ),
            (r#"{"get":1}"#, "one of \"locks\", "),
            (r#"{"get":"locks","limit":-1}"#, "`limit` is to be"),
            (r#"{"get":"locks","limit":"1"}"#, "`limit` is to be"),
            (
                r#"{"watch":"locks","every_ms":null}"#,
                "`every_ms` is to be",
            ),
            ("nonsense", "expected an object"),
        ] {
            let error = read(request).unwrap_err();
            assert!(error.contains(part), "{request}: {error}");
        }
        let error = super::read(b"{\"get\":\"\xff\"}", context()).unwrap_err();
        assert!(error.contains("UTF-8"), "{error}");
    }
}
