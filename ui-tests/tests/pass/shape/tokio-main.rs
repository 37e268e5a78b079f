//! `#[tokio::main]` above the attribute, and below it.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

/// A thread that blocks on the runtime holds the lock.
#[tokio::main(flavor = "current_thread")]
#[synchronized("above")]
async fn above() -> bool {
    tokio::task::yield_now().await;
    is_locked("above")
}

#[synchronized("main")]
#[tokio::main(flavor = "current_thread")]
async fn main() {
    tokio::task::yield_now().await;
    assert!(is_locked("main"));
    std::thread::spawn(|| assert!(above())).join().unwrap();
}
