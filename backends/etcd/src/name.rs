//! What locks are called at the server, as keys of etcd.
//!
//! The name of a lock is `PREFIX/KEY`, and who holds it or waits for it has a key
//! `PREFIX/KEY/LEASE.NUMBER` each, of which the one that was created first has the lock. `PREFIX` and
//! `KEY` have no `/` in them, so the keys of one lock are never among those of another: `/`, `%` and
//! control characters are written as in URLs, and of what is long only the begin is left, with a hash
//! behind `%~`. `KEY` isn't empty, so `PREFIX//` is free for what is no lock: `PREFIX//LEASE` is
//! there as long as the process's lease is, and `PREFIX//LEASE.NONCE` says that a claim is done with,
//! to a question that comes late.

use lockutils::engine::sha256;
use lockutils_remote::percent;
use std::fmt::Write;

/// Longer ones are cut; keys go over the wire with each question.
const LONGEST: usize = 256;

/// The name of the lock of a key.
pub(crate) fn locate(prefix: &str, key: &str) -> Result<String, &'static str> {
    if key.is_empty() {
        return Err("it is empty; name something");
    }
    Ok(format!("{}/{}", encode(prefix), encode(key)))
}

/// The begin and the end of all keys with a prefix.
pub(crate) fn all(prefix: &str) -> (Vec<u8>, Vec<u8>) {
    under(&encode(prefix))
}

/// The begin and the end of the keys of who holds a lock or waits for it.
pub(crate) fn under(name: &str) -> (Vec<u8>, Vec<u8>) {
    // The character that follows `/`.
    (format!("{name}/").into(), format!("{name}0").into())
}

/// The key of a claim, by its number among those of the session.
pub(crate) fn claim(name: &str, lease: i64, number: usize) -> Vec<u8> {
    format!("{name}/{lease:x}.{number:x}").into()
}

/// The key that says that a process is there.
pub(crate) fn member(prefix: &str, lease: i64) -> Vec<u8> {
    format!("{}//{lease:x}", encode(prefix)).into()
}

/// The key that says that a claim is done with.
pub(crate) fn done(prefix: &str, lease: i64, nonce: u128) -> Vec<u8> {
    format!("{}//{lease:x}.{nonce:x}", encode(prefix)).into()
}

/// The name of the lock that a claim's key belongs to; `None` if it belongs to none.
pub(crate) fn of_claim(key: &[u8]) -> Option<&str> {
    let (name, _claim) = std::str::from_utf8(key).ok()?.rsplit_once('/')?;
    let (_prefix, key) = name.split_once('/')?;
    (!key.is_empty()).then_some(name)
}

fn encode(text: &str) -> String {
    let is_special = |char: char| char == '/' || char.is_ascii_control();
    let begin = |length| text.chars().take(length).collect::<String>();
    let encoded = percent::encode(&begin(LONGEST + 1), is_special);
    if encoded.len() <= LONGEST {
        return encoded;
    }
    let mut cut = percent::encode(&begin(LONGEST / 8), is_special) + "%~";
    for byte in sha256(text.as_bytes()) {
        let _ = write!(cut, "{byte:02x}");
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::{all, claim, locate, member, of_claim, under};

    fn name(prefix: &str, key: &str) -> String {
        locate(prefix, key).unwrap()
    }

    #[test]
    fn keys_are_told_from_names() {
        let long = "/".repeat(100_000);
        for prefix in ["", "billing", "a/b", "\0"] {
            for key in ["a", "a/b", "%2F", "grüße\n", " ", "/", long.as_str()] {
                let name = name(prefix, key);
                assert_eq!(of_claim(&claim(&name, -7, 9)), Some(name.as_str()));
            }
            assert_eq!(of_claim(&member(prefix, 7)), None);
        }
        assert!(locate("billing", "").is_err());
    }

    #[test]
    fn no_lock_s_keys_are_among_those_of_another() {
        let long = "x".repeat(257);
        let keys = [
            "a",
            "a/b",
            "a/b/c",
            "a0",
            "a%2Fb",
            "a%",
            "b/c",
            "%~",
            &long,
            &long[1..],
        ];
        let prefixes = ["", "a", "a/", "a/b", "b", "a%2Fb"];
        let names = || {
            prefixes
                .iter()
                .flat_map(|p| keys.iter().map(move |k| name(p, k)))
        };
        for one in names() {
            let (begin, end) = under(&one);
            for other in names() {
                let key = claim(&other, 1, 2);
                let among = begin <= key && key < end;
                assert_eq!(among, one == other, "{one} {other}");
            }
        }
        let mut all_names: Vec<_> = names().collect();
        all_names.sort();
        all_names.dedup();
        assert_eq!(all_names.len(), prefixes.len() * keys.len());
    }

    #[test]
    fn all_of_a_prefix_are_in_its_range_alone() {
        for prefix in ["", "a", "a/", "a/b"] {
            let (begin, end) = all(prefix);
            for other in ["", "a", "a/", "a/b"] {
                let key = claim(&name(other, "k/k"), 1, 2);
                assert_eq!(
                    begin <= key && key < end,
                    prefix == other,
                    "{prefix} {other}"
                );
            }
        }
    }

    #[test]
    fn long_keys_have_short_names() {
        assert!(name("x", &"ü%".repeat(1_000_000)).len() < 300);
        assert_ne!(name("x", &"y".repeat(300)), name("x", &"y".repeat(301)));
    }
}
