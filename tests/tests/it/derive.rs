//! `#[derive(LockKey)]`: that the keys of different values differ.

use lockutils::{Key, LockKey, is_locked, synchronized};
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq, LockKey)]
struct Newtype(String);

#[derive(Clone, Debug, PartialEq, LockKey)]
struct Fields {
    host: Newtype,
    pair: (String, String),
    last: String,
}

/// Variants whose names and fields could be taken for each other's.
#[derive(Clone, Debug, PartialEq, LockKey)]
enum Target {
    A,
    AB,
    One(String),
    OneMore(String),
    Two(String, String),
    Three {
        first: String,
        second: String,
        third: String,
    },
    Nested(Fields),
    In(Box<Target>),
}

fn text(key: impl LockKey) -> String {
    Key::new(key).to_string()
}

/// Text in which what is escaped, what escaping gives, and the variants' names are
/// frequent.
fn tricky() -> impl Strategy<Value = String> {
    "(A|AB|One|/|%|25|2F){0,6}"
}

fn fields() -> impl Strategy<Value = Fields> {
    (tricky(), (tricky(), tricky()), tricky()).prop_map(|(host, pair, last)| Fields {
        host: Newtype(host),
        pair,
        last,
    })
}

fn target() -> impl Strategy<Value = Target> {
    let flat = prop_oneof![
        Just(Target::A),
        Just(Target::AB),
        tricky().prop_map(Target::One),
        tricky().prop_map(Target::OneMore),
        (tricky(), tricky()).prop_map(|(a, b)| Target::Two(a, b)),
        (tricky(), tricky(), tricky()).prop_map(|(first, second, third)| Target::Three {
            first,
            second,
            third,
        }),
        fields().prop_map(Target::Nested),
    ];
    flat.prop_recursive(3, 4, 1, |inner| {
        inner.prop_map(|inner| Target::In(Box::new(inner)))
    })
}

proptest! {
    #[test]
    fn structs_are_injective(a in fields(), b in fields()) {
        prop_assert_eq!(text(&a) == text(&b), a == b);
    }

    #[test]
    fn enums_are_injective(a in target(), b in target()) {
        prop_assert_eq!(text(&a) == text(&b), a == b);
    }

    #[test]
    fn enums_in_a_tuple_are_injective(
        a in (target(), tricky(), target()),
        b in (target(), tricky(), target()),
    ) {
        prop_assert_eq!(text(&a) == text(&b), a == b);
    }

    #[test]
    fn struct_is_the_tuple_of_its_fields(value in fields()) {
        prop_assert_eq!(text(&value), text((&value.host, &value.pair, &value.last)));
    }

    #[test]
    fn variant_is_a_tuple_that_begins_with_its_name(a in tricky(), b in tricky()) {
        let value = Target::Two(a.clone(), b.clone());
        prop_assert_eq!(text(value), text(("Two", a, b)));
    }

    #[test]
    fn text_at_hand_is_the_text_that_is_written(text in tricky()) {
        fn check(key: impl LockKey, at_hand: Option<&str>) {
            assert_eq!(key.as_text(), at_hand);
            // In a tuple the text is always written.
            if let Some(text) = at_hand {
                assert_eq!(Key::new((&key, "x")), Key::new((text, "x")));
            }
        }
        check(Newtype(text.clone()), Some(&text));
        check(Target::AB, Some("AB"));
        check(Target::One(text.clone()), None);
        check(fields_of(&text), None);
    }
}

fn fields_of(text: &str) -> Fields {
    Fields {
        host: Newtype(text.into()),
        pair: (text.into(), text.into()),
        last: text.into(),
    }
}

#[test]
fn derived_key_is_the_key_of_its_text() {
    #[synchronized(key = target)]
    fn scan(target: &Target) {
        assert!(is_locked("Two/a%2Fb/c"));
        assert!(is_locked(("Two", "a/b", "c")));
        assert!(!is_locked("Two"));
    }
    scan(&Target::Two("a/b".into(), "c".into()));
    assert!(!is_locked("Two/a%2Fb/c"));
}
