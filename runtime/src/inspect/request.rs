//! Requests, as they come by the socket.

use super::answer::{self, ANSWERS, Ask, Context, LOCKS};
use crate::json::Json;
use crate::json::read::{self, Value};
use std::time::Duration;

/// How many locks are shown at most.
const MOST_LOCKS: u16 = 1000;

/// How often somebody who watches is told at most, and without `every_ms`.
const SOONEST: Duration = Duration::from_millis(100);
const USUAL: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(super) enum Request {
    Get(Ask),
    Watch(Ask, Duration),
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
    let answer = match what {
        Value::Text(what) => answer::find(what),
        _ => None,
    };
    let Some(answer) = answer else {
        let known = ANSWERS.iter();
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
