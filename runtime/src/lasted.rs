//! Times as texts have them: a number, and its unit apart.

use std::fmt;
use std::time::Duration;

/// How long something lasted: `12.3 s`, or `50.3 ms` where it is less than a second.
pub(crate) struct Lasted(pub(crate) Duration);

impl fmt::Display for Lasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        // What is rounded up to the next unit is written in that one.
        match self.0.as_micros() {
            // Not `0.0 s`, which would be a little.
            0 => write!(f, "0 s"),
            1..1_000 => write!(f, "{:.0} µs", seconds * 1e6),
            1_000..99_950 => write!(f, "{:.1} ms", seconds * 1e3),
            99_950..999_500 => write!(f, "{:.0} ms", seconds * 1e3),
            _ => write!(f, "{seconds:.1} s"),
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
    fn time_has_the_unit_that_says_most() {
        for (nanos, text) in [
            (0, "0 s"),
            (999, "0 s"),
            (50_400, "50 µs"),
            (50_300_000, "50.3 ms"),
            (99_960_000, "100 ms"),
            (999_400_000, "999 ms"),
            (999_600_000, "1.0 s"),
            (1_000_000_000, "1.0 s"),
            (1_800_000_000_000, "1800.0 s"),
        ] {
            assert_eq!(Lasted(Duration::from_nanos(nanos)).to_string(), text);
        }
    }
}
