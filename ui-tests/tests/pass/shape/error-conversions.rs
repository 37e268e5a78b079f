//! `?` in a body converts errors as without the attribute.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;
use std::error::Error;
use std::fmt;
use std::num::ParseIntError;

#[derive(Debug)]
enum Failure {
    Parse(ParseIntError),
    Format(fmt::Error),
}

impl From<ParseIntError> for Failure {
    fn from(error: ParseIntError) -> Self {
        Self::Parse(error)
    }
}

impl From<fmt::Error> for Failure {
    fn from(error: fmt::Error) -> Self {
        Self::Format(error)
    }
}

#[synchronized(key = text)]
fn parse(text: &str) -> Result<u32, Failure> {
    let value = text.parse()?;
    if value == 0 {
        Err(fmt::Error)?;
    }
    Ok(value)
}

#[synchronized(key = text.len())]
async fn boxed(text: &str) -> Result<u32, Box<dyn Error + Send + Sync + 'static>> {
    let value: u32 = text.parse()?;
    if value == 0 {
        return Err("zero".into());
    }
    Ok(value)
}

#[synchronized("nested")]
fn nested(text: &str) -> Result<Option<u32>, ParseIntError> {
    text.split(',').next().map(str::parse).transpose()
}

fn main() {
    assert!(matches!(parse("x"), Err(Failure::Parse(error)) if !error.to_string().is_empty()));
    assert!(matches!(parse("0"), Err(Failure::Format(_))));
    assert_eq!(parse("7").unwrap(), 7);
    assert_eq!(block_on(boxed("0")).unwrap_err().to_string(), "zero");
    assert_eq!(nested("7"), Ok(Some(7)));
}
