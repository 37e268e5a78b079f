//! Times as they are typed, which is how they are shown as well.

use std::time::Duration;

/// A time with units, or in seconds, as other commands take it.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let time = match text.parse() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    };
    time.ok_or_else(|| "expected a time such as `5s`, `2min` or `0.5`".to_owned())
}

/// A time that a service can be recorded for.
pub(crate) fn minute(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        time if time > Duration::from_secs(60) => Err("expected a minute at most".to_owned()),
        time => Ok(time),
    }
}

/// A time that a server is given.
pub(crate) fn second(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        time if time < Duration::from_secs(1) => Err("expected at least `1s`".to_owned()),
        time => Ok(time),
    }
}

/// As one would type it: `1h 30m`, `500ms`.
pub(crate) fn typed(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

/// In whole seconds: `3m 20s`.
pub(crate) fn rounded(time: Duration) -> String {
    typed(Duration::from_secs(time.as_secs()))
}

/// The two greatest units: `3days 4h`.
pub(crate) fn roughly(time: Duration) -> String {
    let whole = rounded(time);
    whole.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_people() {
        for (text, millis) in [
            ("5s", 5000),
            ("2min", 120_000),
            ("1h 30m", 5_400_000),
            ("0.5", 500),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["0s", "20ms", "2s", "1h 30m"] {
            assert_eq!(duration(text).map(typed).as_deref(), Ok(text));
        }
        for text in ["", "-1", "nan", "inf", "1e99", "5 apples"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
