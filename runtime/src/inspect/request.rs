//! Requests, as they come by the socket.

use super::answer::{self, ANSWERS, Ask, Context, LOCKS};
use super::later::Form;
use crate::json::Json;
use crate::json::read::{self, Value};
use std::time::Duration;

/// How many locks are shown at most.
const MOST_LOCKS: u16 = 1000;

/// How often somebody who watches is told at most, and without `every_ms`.
const SOONEST: Duration = Duration::from_millis(100);
const USUAL: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(3600);

/// How long a profile or a recording may take at most.
const LONGEST: Duration = Duration::from_secs(60);

/// How long it is recorded for without `seconds`.
const USUAL_RECORDING: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) enum Request {
    Get(Ask),
    Watch(Ask, Duration),
    /// For so long from now on, or of all that was counted.
    Profile(Option<Duration>, Form),
    Record(Duration, usize),
    /// What the flight recorder has.
    Trace,
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
        return later(&fields);
    };
    let answer = match what {
        Value::Text(what) => answer::find(what),
        _ => None,
    };
    let Some(answer) = answer else {
        let known = ANSWERS.iter();
        let known: Vec<_> = known.map(|(name, _)| format!("\"{name}\"")).collect();
        return Err(format!("`{verb}` is to be one of {}", known.join(", ")));
    };
    let number = |name| number(&fields, name);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is limited, and not negative"
    )]
    let limit = number("limit")?.map_or(LOCKS, |limit| limit.min(MOST_LOCKS.into()) as usize);
    let text = |name: &str| {
        let field = fields.iter().find(|(field, _)| field == name)?;
        match &field.1 {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    };
    let ask = Ask {
        answer,
        limit,
        lock: text("space").zip(text("key")),
        context,
    };
    if verb == "get" {
        return Ok(Request::Get(ask));
    }
    let every = number("every_ms")?.map(|millis| Duration::try_from_secs_f64(millis / 1000.0));
    let every = every.map_or(USUAL, |every| every.unwrap_or(LATEST));
    Ok(Request::Watch(ask, every.clamp(SOONEST, LATEST)))
}

/// A field that is a number, if it is there.
fn number(fields: &[(String, Value)], name: &str) -> Result<Option<f64>, String> {
    let field = fields.iter().find(|(field, _)| field == name);
    field.map_or(Ok(None), |(_, value)| match value {
        Value::Number(number) if *number >= 0.0 => Ok(Some(*number)),
        _ => Err(format!("`{name}` is to be a number that isn't negative")),
    })
}

/// Reads the wish for what takes its time.
fn later(fields: &[(String, Value)]) -> Result<Request, String> {
    let mut verbs = fields.iter();
    let verb = verbs.find(|(name, _)| ["profile", "record", "trace"].contains(&&**name));
    let Some((verb, what)) = verb else {
        return Err("expected a field `get`, `watch`, `profile`, `record` or `trace`".to_owned());
    };
    let Value::Object(fields) = what else {
        return Err(format!("`{verb}` is to be an object"));
    };
    let time = number(fields, "seconds")?.map(Duration::try_from_secs_f64);
    let is_short = |time: &Duration| *time <= LONGEST;
    if time
        .as_ref()
        .is_some_and(|time| !time.as_ref().is_ok_and(is_short))
    {
        return Err(format!("`seconds` is to be {} at most", LONGEST.as_secs()));
    }
    let time = time.and_then(Result::ok);
    if verb == "trace" {
        return Ok(Request::Trace);
    }
    if verb == "profile" {
        return Ok(Request::Profile(time, form(fields)?));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and what is too large is as good as the largest"
    )]
    let one_in = number(fields, "one_in")?.map_or(1, |number| number as usize);
    Ok(Request::Record(time.unwrap_or(USUAL_RECORDING), one_in))
}

/// How a profile is to be written.
fn form(fields: &[(String, Value)]) -> Result<Form, String> {
    let Some((_, wanted)) = fields.iter().find(|(name, _)| name == "as") else {
        return Ok(Form::Json);
    };
    let mut forms = Form::ALL.iter();
    let found = forms.find(|(name, _)| *wanted == Value::Text((*name).to_owned()));
    let (_, form) = found.ok_or("`as` is to be \"json\", \"folded\" or \"pprof\"")?;
    Ok(*form)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::name::Keys;
    use std::time::Instant;

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
    fn recording_has_a_time_and_a_sample() {
        for (text, time, sample) in [
            ("{}", 10.0, 1),
            (r#"{"seconds":0.5,"one_in":128,"x":1}"#, 0.5, 128),
        ] {
            let request = read(&format!("{{\"record\":{text}}}")).unwrap();
            let time = Duration::from_secs_f64(time);
            assert!(
                matches!(request, Request::Record(found, one_in) if (found, one_in) == (time, sample)),
                "{request:?}"
            );
        }
    }

    #[test]
    fn wrong_request_is_told_what_there_is() {
        for (request, part) in [
            (
                "{}",
                "expected a field `get`, `watch`, `profile`, `record` or `trace`",
            ),
            (r#"{"profile":{"as":"svg"}}"#, "`as` is to be"),
            (r#"{"profile":{"seconds":61}}"#, "60 at most"),
            (r#"{"record":1}"#, "`record` is to be an object"),
            (r#"{"record":{"seconds":61}}"#, "60 at most"),
            (r#"{"record":{"seconds":1e300}}"#, "60 at most"),
            (r#"{"record":{"one_in":"x"}}"#, "`one_in` is to be"),
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
