//! `?` in the key returns from the function.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use std::num::ParseIntError;

#[synchronized(key = text.parse::<u32>()?)]
fn question_mark(text: &str) -> Result<bool, ParseIntError> {
    Ok(is_locked(text))
}

fn main() {
    assert_eq!(question_mark("7"), Ok(true));
    assert!(question_mark("x").is_err());
}
