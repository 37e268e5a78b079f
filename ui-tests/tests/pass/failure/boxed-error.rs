//! `Box<dyn Error>` has a place for it, with `Send` and `Sync` and without.
#![deny(warnings)]

use lockutils::{Error, synchronized};

#[synchronized("job", nonblocking)]
fn run() -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

#[synchronized("job", nonblocking)]
fn run_send() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Ok(())
}

fn main() {
    assert!(run().is_ok() && run_send().is_ok());
    let _busy = lockutils::lock("job");
    assert!(run().unwrap_err().is::<Error>());
    assert!(run_send().unwrap_err().is::<Error>());
}
