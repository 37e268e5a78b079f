//! Which file a key's lock is.
//!
//! Our own rule: the prefix, then the key, both with every byte outside `[A-Za-z0-9._-]`
//! and a leading dot percent-encoded. So different keys of a space are different files, no
//! name is `.` or `..` or has a `/` in it, and a name says which key it is of. Names of
//! over [`LONGEST`] bytes are cut, and end in `~` and a SHA-256 of the whole. No other name
//! has a `~`.
//!
//! The rule of oslo.concurrency is another one: the prefix, a `-` unless it ends in one,
//! and the key with `_` for each `/`. There two keys can be one file.

use crate::digest::sha256;
use crate::key::{Key, KeyWriter, LockKey};
use std::fmt::Write as _;

/// How long a name by our own rule can be. File systems take at least 255 bytes, some of
/// which are left to those who back up or encrypt them.
const LONGEST: usize = 200;

/// How long a name by oslo's rule can be: what file systems take.
const LONGEST_OF_OSLO: usize = 255;

/// Whether a byte stands for itself.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without a branch, so that it can be asked for many bytes at once"
)]
const fn is_plain_byte(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit = byte.wrapping_sub(b'0') < 10;
    is_letter | is_digit | (byte == b'.') | (byte == b'_') | (byte == b'-')
}

/// How names are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Own,
    Oslo,
}

/// Names the lock file of a key; else says what is wrong with the key. `beginning` is what
/// [`beginning`] gives.
pub(super) fn file_name(rule: Rule, beginning: &str, key: &[u8]) -> Result<Key, &'static str> {
    if key.is_empty() {
        return Err("an empty key has no lock file; give it some text");
    }
    match rule {
        _ if keeps_plain(rule, beginning) && is_name(key) => Ok(Key::from_utf8(key)),
        Rule::Own => Ok(own(beginning, key)),
        Rule::Oslo => oslo(
            beginning,
            std::str::from_utf8(key).expect("the text of a key"),
        ),
    }
}

/// What the names of a space's files begin with.
pub(super) fn beginning(rule: Rule, prefix: &str) -> String {
    match rule {
        Rule::Own => Key::new(Encoded(prefix.as_bytes())).to_string(),
        Rule::Oslo if prefix.is_empty() || prefix.ends_with('-') => prefix.to_owned(),
        Rule::Oslo => format!("{prefix}-"),
    }
}

/// The key whose file has this name, without the beginning; `None` if it was cut.
pub(super) fn key_of(rule: Rule, rest: &str) -> Option<String> {
    match rule {
        Rule::Own if rest.contains('~') => None,
        Rule::Own => decode(rest),
        Rule::Oslo => Some(rest.to_owned()),
    }
}

/// Whether each plain key is itself the name of its file, see [`is_name`].
pub(super) fn keeps_plain(rule: Rule, beginning: &str) -> bool {
    rule == Rule::Own && beginning.is_empty()
}

/// Whether a key is plain.
pub(super) fn is_name(key: &[u8]) -> bool {
    key.len() <= LONGEST && plain(key) == key.len() && key.first() != Some(&b'.')
}

fn own(beginning: &str, key: &[u8]) -> Key {
    let name = Key::new(Joined(beginning, Encoded(key)));
    if name.as_bytes().len() <= LONGEST {
        return name;
    }
    let digest = sha256(name.as_bytes());
    let kept = LONGEST - 1 - 2 * digest.len();
    let mut cut = format!("{}~", &name.as_str()[..kept]);
    for byte in digest {
        write!(cut, "{byte:02X}").expect("a string takes all text");
    }
    Key::new(cut)
}

fn oslo(beginning: &str, key: &str) -> Result<Key, &'static str> {
    let name = beginning.to_owned() + &key.replace('/', "_");
    match &name[..] {
        "." | ".." => Err("its lock file would be a directory; give it another name"),
        _ if beginning.contains('/') => {
            Err("its lock file would be in another directory; use a prefix without `/`")
        }
        _ if name.contains('\0') => Err("no file name has a NUL in it; leave it out"),
        _ if name.len() > LONGEST_OF_OSLO => {
            Err("its lock file's name would be too long; use at most 255 bytes with the prefix")
        }
        _ => Ok(Key::new(name)),
    }
}

/// Text that is percent-encoded as it is written.
struct Encoded<'a>(&'a [u8]);

struct Joined<'a>(&'a str, Encoded<'a>);

impl LockKey for Joined<'_> {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        out.push_str(self.0);
        self.1.write_key(out);
    }
}

/// How many bytes at the beginning stand for themselves.
fn plain(text: &[u8]) -> usize {
    const BLOCK: usize = 16;
    // All of a block at once, without a branch for each byte, since most keys are plain.
    let is_plain = |block: &&[u8]| {
        let bytes = block.iter();
        bytes.fold(true, |all, byte| all & is_plain_byte(*byte))
    };
    let blocks = text.chunks_exact(BLOCK).take_while(is_plain);
    let start = BLOCK * blocks.count();
    let more = text[start..].iter().position(|byte| !is_plain_byte(*byte));
    more.map_or(text.len(), |more| start + more)
}

impl LockKey for Encoded<'_> {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        let Self(text) = *self;
        let mut rest = text;
        if rest.first() == Some(&b'.') {
            out.push_str("%2E");
            rest = &rest[1..];
        }
        while !rest.is_empty() {
            let (plain, more) = rest.split_at(plain(rest));
            out.push_str(std::str::from_utf8(plain).expect("ASCII"));
            rest = more;
            if let [byte, more @ ..] = more {
                write!(out, "%{byte:02X}").expect("a key takes all text");
                rest = more;
            }
        }
    }
}

fn decode(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            u8::try_from(16 * digit()? + digit()?).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(prefix: &str, key: &str) -> String {
        file_name(Rule::Own, &beginning(Rule::Own, prefix), key.as_bytes())
            .unwrap()
            .to_string()
    }

    fn oslo_name(prefix: &str, key: &str) -> Result<String, &'static str> {
        file_name(Rule::Oslo, &beginning(Rule::Oslo, prefix), key.as_bytes())
            .map(|name| name.to_string())
    }

    #[test]
    fn plain_keys_stay_readable() {
        assert_eq!(name("nova-", "2f1c-81d0"), "nova-2f1c-81d0");
        assert_eq!(name("", "a.b_C"), "a.b_C");
    }

    #[test]
    fn everything_else_is_percent_encoded() {
        assert_eq!(name("", "vm/7"), "vm%2F7");
        assert_eq!(name("", "50%"), "50%25");
        assert_eq!(name("", ".."), "%2E.");
        assert_eq!(name("nova-", ".x"), "nova-%2Ex");
        assert_eq!(name("../", "é\0~"), "%2E.%2F%C3%A9%00%7E");
    }

    #[test]
    fn letters_digits_and_three_more_stand_for_themselves() {
        for byte in 0..=u8::MAX {
            let is_plain = byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            assert_eq!(is_plain_byte(byte), is_plain, "{byte}");
        }
    }

    /// Plain bytes are looked at in blocks.
    #[test]
    fn byte_is_encoded_wherever_it_is() {
        for (before, after) in (0..20).flat_map(|before| (0..20).map(move |after| (before, after)))
        {
            let [before, after] = [before, after].map(|length| "a".repeat(length));
            assert_eq!(
                name("", &format!("{before}/{after}")),
                format!("{before}%2F{after}")
            );
        }
    }

    #[test]
    fn long_names_are_cut_and_end_in_a_hash() {
        let (longest, longer) = ("x".repeat(LONGEST), "x".repeat(LONGEST + 1));
        assert_eq!(name("", &longest), longest);
        let cut = name("", &longer);
        assert_eq!(cut.len(), LONGEST);
        assert!(cut.starts_with("xxx") && cut.contains('~'));
        assert_ne!(cut, name("", &"x".repeat(LONGEST + 2)));
    }

    #[test]
    fn empty_key_has_no_file() {
        assert!(file_name(Rule::Own, "nova-", b"").is_err());
        assert!(oslo_name("nova", "").is_err());
    }

    #[test]
    fn names_of_oslo_are_as_python_makes_them() {
        assert_eq!(oslo_name("nova", "a/b").as_deref(), Ok("nova-a_b"));
        assert_eq!(oslo_name("nova-", "a").as_deref(), Ok("nova-a"));
        assert_eq!(oslo_name("", "..a é").as_deref(), Ok("..a é"));
    }

    #[test]
    fn names_of_oslo_that_leave_the_directory_are_refused() {
        for key in [".", "..", "a\0b", &"x".repeat(256)] {
            assert!(oslo_name("", key).is_err(), "{key:?}");
        }
        assert!(oslo_name("../x", "a").is_err());
        assert!(oslo_name("", &"x".repeat(255)).is_ok());
        assert_eq!(oslo_name("a", "..").as_deref(), Ok("a-.."));
    }

    /// Text in which what is encoded, and what encoding gives, is frequent.
    fn tricky() -> impl Strategy<Value = String> {
        prop_oneof!["[%2Ee./~é_-]{1,60}", "[a/]{150,250}"]
    }

    proptest! {
        #[test]
        fn names_are_injective(a in tricky(), b in tricky()) {
            prop_assert_eq!(name("p-", &a) == name("p-", &b), a == b);
        }

        #[test]
        fn names_are_short_and_stay_in_the_directory(prefix in tricky(), key in tricky()) {
            let name = name(&prefix, &key);
            prop_assert!(name.len() <= LONGEST);
            prop_assert!(!name.starts_with('.') && !name.contains(['/', '\0']));
        }

        #[test]
        fn key_is_read_back_from_its_name(key in tricky()) {
            let name = name("p-", &key);
            let rest = name.strip_prefix(&beginning(Rule::Own, "p-")).unwrap();
            let uncut = !name.contains('~');
            prop_assert_eq!(key_of(Rule::Own, rest), uncut.then_some(key));
        }
    }
}
