//! Times as texts have them.

use std::fmt;
use std::time::Duration;

/// How long something lasted, in a sentence: `12.3s`, `50.3ms`.
pub(crate) struct Lasted(pub(crate) Duration);

impl fmt::Display for Lasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() {
            // Not `0.0ns`, as if somebody had measured it.
            f.write_str("0s")
        } else {
            write!(f, "{:.1?}", self.0)
        }
    }
}

/// The same in a report, whose times are compared with each other: `12.3 s`, and `0.1 s` too.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_nothing_is_in_seconds() {
        for (nanos, text) in [
            (0, "0s"),
            (50_400, "50.4µs"),
            (50_300_000, "50.3ms"),
            (1_800_000_000_000, "1800.0s"),
        ] {
            assert_eq!(Lasted(Duration::from_nanos(nanos)).to_string(), text);
        }
    }
}
