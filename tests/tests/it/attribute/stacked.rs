//! Other attributes above and below: what comes first, and what the lock covers.
//!
//! The key is evaluated just before the wait, so it tells whether that is inside the span.

use lockutils::{is_locked, synchronized};
use lockutils_tests::yield_now;
use pollster::block_on;
use tracing::{Span, instrument};

/// The name of the span that the caller is in.
fn span() -> &'static str {
    Span::current()
        .metadata()
        .map_or("none", |span| span.name())
}

/// With a subscriber, without which there are no spans.
fn traced<R>(run: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(tracing_subscriber::registry(), run)
}

#[test]
fn wait_is_outside_the_span_of_an_attribute_above() {
    #[instrument]
    #[synchronized(key = span())]
    fn above() -> bool {
        is_locked("none") && span() == "above"
    }
    #[instrument]
    #[synchronized(key = span())]
    async fn above_async() -> bool {
        yield_now().await;
        is_locked("none") && span() == "above_async"
    }
    traced(|| {
        assert!(above());
        assert!(block_on(above_async()));
    });
}

#[test]
fn wait_is_inside_the_span_of_an_attribute_below() {
    #[synchronized(key = span())]
    #[instrument]
    fn below() -> bool {
        is_locked("below") && span() == "below"
    }
    #[synchronized(key = span())]
    #[instrument]
    async fn below_async() -> bool {
        yield_now().await;
        is_locked("below_async") && span() == "below_async"
    }
    traced(|| {
        assert!(below());
        assert!(block_on(below_async()));
    });
}
