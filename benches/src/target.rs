//! What the locks are to reach, and what was measured: lines of a Markdown table.

use crate::figure;
use std::fmt::{self, Write as _};

/// A goal, with what was measured of it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) reach: Reach,
    pub(crate) measured: f64,
    /// What the figure was made of, and what others have in its place.
    pub(crate) details: String,
}

/// A limit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach {
    AtMost(f64, Unit),
    AtLeast(f64, Unit),
    LessThan(f64, Unit),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// A ratio.
    Times,
    Bytes,
    KiB,
    Nanoseconds,
    Microseconds,
    Files,
    Milliseconds,
}

impl Reach {
    fn is_reached_by(self, measured: f64) -> bool {
        match self {
            Self::AtMost(limit, _) => measured <= limit,
            Self::AtLeast(limit, _) => measured >= limit,
            Self::LessThan(limit, _) => measured < limit,
        }
    }

    const fn unit(self) -> Unit {
        match self {
            Self::AtMost(_, unit) | Self::AtLeast(_, unit) | Self::LessThan(_, unit) => unit,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, limit) = match self {
            Self::AtMost(limit, _) => ("at most", limit),
            Self::AtLeast(limit, _) => ("at least", limit),
            Self::LessThan(limit, _) => ("less than", limit),
        };
        match self.unit() {
            Unit::Times => write!(f, "{words} {limit}×"),
            Unit::Bytes => write!(f, "{words} {limit} bytes"),
            Unit::KiB => write!(f, "{words} {limit} KiB"),
            Unit::Nanoseconds => write!(f, "{words} {limit} ns"),
            Unit::Microseconds => write!(f, "{words} {limit} µs"),
            Unit::Files => write!(f, "{words} {limit} files"),
            Unit::Milliseconds => write!(f, "{words} {limit} ms"),
        }
    }
}

impl Unit {
    fn text(self, measured: f64) -> String {
        match self {
            Self::Times => figure::times(measured),
            Self::Bytes => format!("{measured:.0} bytes"),
            Self::KiB => format!("{measured:.0} KiB"),
            Self::Nanoseconds => format!("{measured:.0} ns"),
            Self::Microseconds => format!("{measured:.0} µs"),
            Self::Files => format!("{measured:.0} files"),
            Self::Milliseconds => format!("{measured:.2} ms"),
        }
    }
}

/// The table, with what its figures mean above it.
pub(crate) fn render(targets: &[Target]) -> String {
    let mut out = String::from(
        "What lockutils is to reach. A ratio of times is the median of the rounds' own ratios; \
         beside it are the times, and how close to it half of the rounds lie.\n\n\
         | what | reach | measured | reached | of |\n\
         | --- | --- | ---: | :---: | --- |\n",
    );
    for target in targets {
        let Target {
            what,
            reach,
            measured,
            details,
        } = target;
        let reached = if reach.is_reached_by(*measured) {
            "yes"
        } else {
            "**no**"
        };
        let measured = reach.unit().text(*measured);
        writeln!(
            out,
            "| {what} | {reach} | {measured} | {reached} | {details} |"
        )
        .expect("a string takes all");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_kept_to_their_words() {
        assert!(Reach::AtMost(1.5, Unit::Times).is_reached_by(1.5));
        assert!(!Reach::AtMost(1.5, Unit::Times).is_reached_by(1.51));
        assert!(Reach::AtLeast(5.0, Unit::Times).is_reached_by(5.0));
        assert!(!Reach::AtLeast(5.0, Unit::Times).is_reached_by(4.9));
        assert!(Reach::LessThan(1024.0, Unit::KiB).is_reached_by(1023.0));
        assert!(!Reach::LessThan(1024.0, Unit::KiB).is_reached_by(1024.0));
    }

    #[test]
    fn what_is_missed_stands_out() {
        let target = |measured| Target {
            what: "one key".to_owned(),
            reach: Reach::AtMost(1.5, Unit::Times),
            measured,
            details: "details".to_owned(),
        };
        let table = render(&[target(1.25), target(3.0)]);
        let lines: Vec<_> = table.lines().skip(4).collect();
        assert_eq!(
            lines,
            [
                "| one key | at most 1.5× | 1.25× | yes | details |",
                "| one key | at most 1.5× | 3.00× | **no** | details |",
            ]
        );
    }
}
