//! What the lock of a key is called at the server.
//!
//! `prefix:key`, so that it is found by who looks for it. The first colon ends the prefix: one in the
//! prefix itself is written `%3A`, and a `%` there `%25`, so no two prefixes have a name in common. What
//! is behind it begins with `#` where it isn't a key: `#fence` is the last fencing token, `#open` is
//! what a new session tries its rights with, `#queue:` is before the name of a lock that is waited for, as is `#asked:`,
//! and `#` with 64 digits is the hash of a key that is too long, or begins with `#` itself. The channel
//! `#granted` of a session is where it is told of locks that it has waited for.

use std::fmt::Write as _;

use lockutils::engine::sha256;
use lockutils_remote::percent;

/// The longest key that is a name as it is, in bytes.
const LONGEST: usize = 512;

pub(crate) fn lock(prefix: &str, key: &str) -> String {
    let prefix = escape(prefix);
    if key.len() <= LONGEST && !key.starts_with('#') {
        return format!("{prefix}:{key}");
    }
    let mut name = format!("{prefix}:#");
    for byte in sha256(key.as_bytes()) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Where the last fencing token of the prefix is.
pub(crate) fn fence(prefix: &str) -> String {
    format!("{}:#fence", escape(prefix))
}

/// Where those are who wait for the lock of this name.
pub(crate) fn queue(prefix: &str, lock: &str) -> String {
    beside("queue", prefix, lock)
}

/// Where it is kept when each of those has asked last.
pub(crate) fn asked(prefix: &str, lock: &str) -> String {
    beside("asked", prefix, lock)
}

fn beside(what: &str, prefix: &str, lock: &str) -> String {
    let prefix = escape(prefix);
    let rest = lock.get(prefix.len() + 1..).unwrap_or_default();
    format!("{prefix}:#{what}:{rest}")
}

/// What the channels of sessions begin with.
pub(crate) fn channels(prefix: &str) -> String {
    format!("{}:#granted:", escape(prefix))
}

/// Where a session tries its rights. The number is the connection's.
pub(crate) fn open(prefix: &str, number: i64) -> String {
    format!("{}:#open:{number}", escape(prefix))
}

/// The pattern of all names of the prefix.
pub(crate) fn pattern(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 2);
    for char in escape(prefix).chars() {
        if matches!(char, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern + ":*"
}

/// A prefix that has no colon.
fn escape(prefix: &str) -> String {
    percent::encode(prefix, |char| char == ':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn keys_are_names_as_they_are() {
        assert_eq!(lock("lockutils", "invoice-7"), "lockutils:invoice-7");
        assert_eq!(lock("", "a#b: #"), ":a#b: #");
    }

    #[test]
    fn no_key_is_called_as_something_else() {
        let long = "x".repeat(LONGEST + 1);
        for key in ["#fence", "#open:1", &long] {
            let name = lock("a", key);
            assert_eq!(name.len(), "a:#".len() + 64, "{name}");
            assert_ne!(name, lock("a", &format!("{key}.")));
        }
        assert_eq!(fence("a:b"), "a%3Ab:#fence");
        assert_eq!(lock("a", "b:#fence"), "a:b:#fence");
        assert_eq!(open("a:b", 7), "a%3Ab:#open:7");
        assert_eq!(queue("a:b", &lock("a:b", "c:d")), "a%3Ab:#queue:c:d");
    }

    #[test]
    fn no_two_locks_have_one_name() {
        // All texts of up to three of the characters that mean something in a name.
        let mut texts = vec![String::new()];
        let mut longest = texts.clone();
        for _ in 0..3 {
            let longer =
                |text: &String| [":", "%", "#", "3A", "25"].map(|part| text.clone() + part);
            longest = longest.iter().flat_map(longer).collect();
            texts.extend_from_slice(&longest);
        }
        let long = "x".repeat(LONGEST + 1);
        texts.extend(["#fence".into(), ":#fence".into(), "#open:1".into(), long]);
        let mut names = BTreeMap::new();
        for prefix in &texts {
            for (name, what) in [(fence(prefix), "fence"), (open(prefix, 1), "open")] {
                assert_eq!(names.insert(name, (prefix, what)), None);
            }
            for key in &texts {
                let name = lock(prefix, key);
                for name in [queue(prefix, &name), name] {
                    let other = names.insert(name, (prefix, key));
                    assert_eq!(other, None, "{prefix:?} {key:?}");
                }
            }
        }
    }

    #[test]
    fn a_pattern_means_the_prefix_itself() {
        assert_eq!(pattern("a*[b]"), r"a\*\[b\]:*");
        assert_eq!(pattern("a:b"), "a%3Ab:*");
    }
}
