//! A closure says what a failure is, and knows the type of the error.
#![deny(warnings)]

use lockutils::{ErrorKind, synchronized};

#[synchronized("job", nonblocking, or_else = |error| Some(error.kind()))]
fn run() -> Option<ErrorKind> {
    None
}

fn main() {
    assert_eq!(run(), None);
    let _busy = lockutils::lock("job");
    assert_eq!(run(), Some(ErrorKind::Busy));
}
