//! A function says what a failure is.
#![deny(warnings)]

use lockutils::{Error, ErrorKind, synchronized};

#[synchronized("job", nonblocking, or_else = skipped)]
fn run() -> &'static str {
    "done"
}

fn skipped(error: Error) -> &'static str {
    assert_eq!(error.kind(), ErrorKind::Busy);
    "skipped"
}

fn main() {
    assert_eq!(run(), "done");
    let _busy = lockutils::lock("job");
    assert_eq!(run(), "skipped");
}
