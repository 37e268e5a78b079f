//! What the lock of a key is called at the server.
//!
//! `prefix:key`, so that it is found by who looks for it. The part behind the prefix, or behind
//! any other colon, begins with `#` where it isn't a key: `#fence` is the last fencing token, `#open` is
//! what a new session tries its rights with, and `#` with 64 digits is the hash of a key that is
//! too long, or has a part like these.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The longest key that is a name as it is, in bytes.
const LONGEST: usize = 512;

pub(crate) fn lock(prefix: &str, key: &str) -> String {
    if key.len() <= LONGEST && !key.starts_with('#') && !key.contains(":#") {
        return format!("{prefix}:{key}");
    }
    let mut name = format!("{prefix}:#");
    for byte in Sha256::digest(key.as_bytes()) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Where the last fencing token of the prefix is.
pub(crate) fn fence(prefix: &str) -> String {
    format!("{prefix}:#fence")
}

/// Where a session tries its rights. The number is the connection's.
pub(crate) fn open(prefix: &str, number: i64) -> String {
    format!("{prefix}:#open:{number}")
}

/// The pattern of all names of the prefix.
pub(crate) fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 2);
    for char in prefix.chars() {
        if matches!(char, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern + ":*"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_names_as_they_are() {
        assert_eq!(lock("lockutils", "invoice-7"), "lockutils:invoice-7");
        assert_eq!(lock("", "a#b: #"), ":a#b: #");
    }

    #[test]
    fn no_key_is_called_as_something_else() {
        let long = "x".repeat(LONGEST + 1);
        for key in ["#fence", "b:#fence", "#open:1", &long] {
            let name = lock("a", key);
            assert_eq!(name.len(), "a:#".len() + 64, "{name}");
            assert_ne!(name, lock("a", &format!("{key}.")));
        }
        assert_eq!(fence("a:b"), "a:b:#fence");
    }

    #[test]
    fn a_pattern_means_the_prefix_itself() {
        assert_eq!(pattern("a*[b]"), r"a\*\[b\]:*");
    }
}
