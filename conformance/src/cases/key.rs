//! Which keys are the same lock.

use crate::subject::Subject;
use crate::take::{hold, is_free};
use crate::test::Test;
use std::sync::Arc;

/// A key is its text: the type that it is written as makes no difference.
pub fn equal_text_is_one_lock_whatever_the_type<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let _guard = hold(&space, 7_u32);
    assert!(!is_free(&space, "7"));
    assert!(!is_free(&space, String::from("7")));
    assert!(!is_free(&space, Arc::new(7_i128)));
    assert!(!is_free(&space, '7'));
    assert!(!is_free(&space, format_args!("{}", 7)));
    let _guard = hold(&space, ("vm", 7));
    assert!(!is_free(&space, "vm/7"));
}

/// Nothing is folded together: not case, nor blanks, nor what parts a tuple is of.
pub fn different_text_is_another_lock<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let _guards = (
        hold(&space, "%2F"),
        hold(&space, ("a/b", "c")),
        hold(&space, "a/b"),
    );
    for other in [
        "A/b", "a_b", "a/b ", "a/b/", "a", "b", "a%2Fb", "/", "%252F", "a/b/c",
    ] {
        assert!(is_free(&space, other), "{other:?}");
    }
    assert!(is_free(&space, ("a", "b/c")));
}

/// The empty text is a key like any other.
pub fn empty_key_is_a_lock<S: Subject>(test: &Test<S>) {
    let space = test.space();
    let _guard = hold(&space, "");
    assert!(!is_free(&space, ""));
    assert!(is_free(&space, "/"));
}

/// A key has no greatest length, and counts to its last byte.
pub fn long_key_is_a_lock<S: Subject>(test: &Test<S>) {
    let space = test.space();
    for length in [63, 64, 65, 255, 256, 10_000] {
        let key = "k".repeat(length);
        let _guard = hold(&space, &key);
        assert!(!is_free(&space, &key));
        assert!(is_free(&space, &key[1..]));
        assert!(is_free(&space, format_args!("{}l", &key[1..])));
    }
}
