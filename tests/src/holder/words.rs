//! Commands and answers in words.

use lockutils::Error;
use std::error::Error as _;
use std::io::{self, Write as _};
use std::time::Duration;

/// What is before the first space, and after it.
pub(super) fn two(text: &str) -> (&str, &str) {
    text.split_once(' ').expect("something before the rest")
}

/// A number, a time and a key.
pub(super) fn three(text: &str) -> (u64, Duration, &str) {
    let (first, rest) = two(text);
    let (time, key) = two(rest);
    (number(first), Duration::from_micros(number(time)), key)
}

pub(super) fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

pub(super) fn milliseconds(text: &str) -> Duration {
    Duration::from_millis(number(text))
}

pub(super) fn say(line: &str) {
    let mut out = io::stdout().lock();
    // Who no longer listens needs no answer.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

pub(super) fn refused(error: &Error) -> String {
    let text = format!("error {:?} {}", error.kind(), with_source(error));
    text.replace('\n', " ")
}

pub(super) fn with_source(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
