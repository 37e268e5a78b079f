//! What holding a lock costs in bytes, also inside a future.

use lockutils::{AsyncGuard, Guard};

#[test]
fn guards_have_at_most_24_bytes() {
    assert!(size_of::<Guard>() <= 24, "{}", size_of::<Guard>());
    assert!(size_of::<AsyncGuard>() <= 24, "{}", size_of::<AsyncGuard>());
}
