//! A closure gives what becomes a trait object.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("job", nonblocking, or_else = |error| Box::new(error))]
fn run() -> Box<dyn std::fmt::Display> {
    Box::new("done")
}

fn main() {
    assert_eq!(run().to_string(), "done");
    let _busy = lockutils::lock("job");
    assert!(run().to_string().contains("is busy"));
}
