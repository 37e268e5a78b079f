//! Tests of keys and their text.

use super::*;
use proptest::prelude::*;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

fn text(value: impl LockKey) -> String {
    Key::new(value).to_string()
}

#[test]
fn equal_text_is_one_key_whatever_the_type() {
    assert_eq!(text(7_u8), "7");
    assert_eq!(text("7"), text(std::num::NonZeroU64::new(7).unwrap()));
    assert_eq!(text(String::from("x")), text('x'));
    assert_eq!(text(-3_i128), "-3");
    assert_eq!(text(true), "true");
    assert_eq!(text(std::sync::Arc::new(Box::new(&"x"))), "x");
    assert_eq!(text(std::net::IpAddr::from([127, 0, 0, 1])), "127.0.0.1");
    assert_eq!(text(format_args!("vm-{}", 7)), "vm-7");
    assert_eq!(text(std::path::Path::new("/var/lib")), "/var/lib");
}

proptest! {
    #[test]
    fn integer_is_its_digits(wide: i128, word: u64, size: isize, byte: i8, shift in 0..128_u32) {
        // So that there are some of every length.
        let (wide, word, size) = (wide >> shift, word >> (shift / 2), size >> (shift / 4));
        prop_assert_eq!(text(wide), wide.to_string());
        prop_assert_eq!(text(wide.unsigned_abs()), wide.unsigned_abs().to_string());
        prop_assert_eq!(text(word), word.to_string());
        prop_assert_eq!(text(size), size.to_string());
        prop_assert_eq!(text(byte), byte.to_string());
    }

    /// Also where the text of the parts before it ends near that of the room in place.
    #[test]
    fn tuple_is_its_parts(before in "[a-z]{0,70}", number: i128, shift in 0..128, name in "[a-z]{0,9}") {
        let number = number >> shift;
        let expected = format!("{before}/{number}/{name}/true");
        prop_assert_eq!(text((before, number, name, true)), expected);
    }

    #[test]
    fn character_is_its_text(value: char) {
        prop_assert_eq!(text(value), value.to_string());
    }
}

#[test]
fn empty_text_is_a_key() {
    assert_eq!(text(""), "");
    assert_eq!(text(("", "")), "/");
}

#[test]
fn tuple_escapes_inside_its_parts_only() {
    assert_eq!(text(("vm", 7)), "vm/7");
    assert_eq!(text(("a/b", "c")), "a%2Fb/c");
    assert_eq!(text(("a", "b/c")), "a/b%2Fc");
    assert_eq!(text(("50%", "x")), "50%25/x");
    assert_eq!(text("a/b"), "a/b");
}

#[test]
fn tuple_in_a_tuple_is_one_part() {
    assert_eq!(text((("a", "b"), "c")), "a%2Fb/c");
    assert_eq!(text((("a/b", "%"), "c")), "a%252Fb%2F%2525/c");
}

#[test]
fn bytes_that_are_not_utf8_become_hex() {
    assert_eq!(text(OsStr::from_bytes(b"a\xFFb\xC3\xA9")), "a%FFbé");
}

#[test]
fn text_of_64_bytes_stays_in_place_and_65_goes_to_the_heap() {
    let short = "x".repeat(SHORT);
    let long = "é".repeat(33);
    assert!(matches!(Key::new(&short).0, Repr::Inline { .. }));
    assert!(matches!(Key::new(&long).0, Repr::Heap(_)));
    assert_eq!(text(&short), short);
    assert_eq!(text(&long), long);
    assert_eq!(text((&short, &long)), format!("{short}/{long}"));
}

#[test]
fn text_at_hand_is_the_text_that_is_written() {
    fn check(key: impl LockKey) {
        assert_eq!(key.as_text().map(str::to_owned), Some(text(&key)));
    }
    check("a/b%");
    check(String::from("x"));
    check(std::borrow::Cow::Borrowed("x"));
    check(Box::new(std::sync::Arc::<str>::from("x")));
    assert_eq!((1, 2).as_text(), None);
}

#[test]
fn display_honours_width() {
    assert_eq!(format!("{:>4}", Key::new("a")), "   a");
}

/// Text in which what is escaped, and what escaping gives, is frequent.
fn tricky() -> impl Strategy<Value = String> {
    "[/%25Fé]{0,40}"
}

proptest! {
    #[test]
    fn display_gives_the_text(value in tricky()) {
        prop_assert_eq!(text(&value), value);
    }

    #[test]
    fn pairs_are_injective(a in (tricky(), tricky()), b in (tricky(), tricky())) {
        prop_assert_eq!(text(&a) == text(&b), a == b);
    }

    #[test]
    fn nested_tuples_are_injective(
        a in ((tricky(), tricky()), tricky()),
        b in ((tricky(), tricky()), tricky()),
    ) {
        prop_assert_eq!(text(&a) == text(&b), a == b);
    }

    #[test]
    fn parts_can_be_read_back(parts in (tricky(), tricky(), tricky())) {
        let unescape = |part: &str| part.replace("%2F", "/").replace("%25", "%");
        let key = text(&parts);
        let read: Vec<String> = key.split('/').map(unescape).collect();
        prop_assert_eq!(read, [parts.0, parts.1, parts.2]);
    }

    #[test]
    fn order_is_that_of_the_text(a in tricky(), b in tricky()) {
        prop_assert_eq!(Key::new(&a).cmp(&Key::new(&b)), a.cmp(&b));
        prop_assert_eq!(Key::new(&a) == Key::new(&b), a == b);
    }
}
