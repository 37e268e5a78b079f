//! `{:?}` leaves the locks of the process as they are: on the fast path.

use super::Locks;
use crate::table::Name;
use crate::table::fast::is_held_thin;

static LOCKS: Locks = Locks::new("shown");

/// Whether a lock that is held stays on the fast path while `text` is made. Tests beside this
/// one look at all locks now and then, so each key is one try.
fn stays(text: impl Fn(u64) -> String) -> bool {
    (0..1000_u64).any(|key| {
        let _guard = LOCKS.key(key).lock();
        let digits = key.to_string();
        let is_thin = || is_held_thin(Name::new(LOCKS.id(), digits.as_bytes()).hash);
        let was_thin = is_thin();
        let text = text(key);
        was_thin && is_thin() && text.contains("shown")
    })
}

#[test]
fn debug_text_leaves_locks_on_the_fast_path() {
    assert!(stays(|_| format!("{LOCKS:?}")));
    assert!(stays(|key| format!("{:?}", LOCKS.key(key))));
    assert!(stays(|key| format!("{:?}", LOCKS.key(key).reentrant())));
    assert!(stays(|key| format!("{:?}", LOCKS.keys([key, key + 1]))));
    assert!(stays(|key| format!("{:?}", LOCKS.key(key).lock_async())));
    assert!(stays(|key| format!("{:?}", LOCKS.keys([key]).lock_async())));
    // What looks at all of them doesn't.
    assert!(!stays(|_| format!("shown {:?}", crate::snapshot())));
}
