//! An async function that never returns.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn never() -> ! {
    std::process::exit(0)
}

#[synchronized("a")]
async fn never_async() -> ! {
    never()
}

fn main() {
    drop(never_async());
}
