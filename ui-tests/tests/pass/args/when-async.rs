//! A condition that awaits decides.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[synchronized("a", when = asked(locked).await)]
async fn run(locked: bool) -> bool {
    is_locked("a")
}

async fn asked(locked: bool) -> bool {
    locked
}

fn main() {
    assert!(block_on(async { run(true).await && !run(false).await }));
}
