//! A lock of the process can't be lost.

use lockutils::{Error, Locks, synchronized};

static LOCKS: Locks = Locks::new("locks");

#[synchronized("job", locks = LOCKS, cancel_on_loss)]
async fn bill() -> Result<(), Error> {
    Ok(())
}

fn main() {}
