//! What a guard, and an annotated future, have in bytes.

use crate::contender::Key;
use crate::measure::Plan;
use crate::target::{Reach, Target, Unit};
use lockutils::{AsyncGuard, Guard, synchronized};

pub(crate) fn targets(_: Plan) -> Vec<Target> {
    let (by_hand, annotated) = (size_of_val(&plain(&KEY)), size_of_val(&annotated(&KEY)));
    let target = |what: &str, limit, bytes: usize, details| Target {
        what: what.to_owned(),
        reach: Reach::AtMost(limit, Unit::Bytes),
        measured: f64::from(u32::try_from(bytes).expect("values are small")),
        details,
    };
    vec![
        target("`Guard`", 24.0, size_of::<Guard>(), String::new()),
        target("`AsyncGuard`", 24.0, size_of::<AsyncGuard>(), String::new()),
        target(
            "the future of an annotated `async fn`, beyond the same without",
            128.0,
            annotated - by_hand,
            format!("{annotated} bytes to {by_hand} bytes"),
        ),
    ]
}

static KEY: Key = Key::LITERAL;

/// What a small function of a service keeps across an `await`.
async fn plain(key: &Key) -> usize {
    let buffer = [0_u8; 256];
    tokio::task::yield_now().await;
    key.number + usize::from(buffer[0])
}

#[synchronized(key = key.text)]
async fn annotated(key: &Key) -> usize {
    let buffer = [0_u8; 256];
    tokio::task::yield_now().await;
    key.number + usize::from(buffer[0])
}
