//! Nor can one of the process-wide spaces.

use lockutils::{Error, synchronized};

#[synchronized("job", cancel_on_loss)]
async fn bill() {}

#[synchronized("job", external, cancel_on_loss)]
async fn bill_in_files() -> Result<(), Error> {
    Ok(())
}

fn main() {}
