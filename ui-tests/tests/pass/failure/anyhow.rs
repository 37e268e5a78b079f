//! `anyhow::Result` has a place for it.
#![deny(warnings)]

use lockutils::{Error, synchronized};

#[synchronized("job", nonblocking)]
fn run(text: &str) -> anyhow::Result<u32> {
    Ok(text.parse()?)
}

fn main() {
    assert_eq!(run("7").unwrap(), 7);
    let _busy = lockutils::lock("job");
    assert!(run("7").unwrap_err().is::<Error>());
}
