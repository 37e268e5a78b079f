//! A function that returns nothing may fail.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("job", nonblocking, or_else = |error| eprintln!("skipped: {error}"))]
fn run(ran: &mut bool) {
    *ran = true;
}

#[synchronized("job", nonblocking, or_else = drop)]
async fn run_async() {}

fn main() {
    let mut ran = false;
    run(&mut ran);
    block_on(run_async());
    assert!(ran);
}
