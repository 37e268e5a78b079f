//! [`LockKey`] for the types of the standard library, and for `uuid::Uuid`.

use super::{Key, KeyWriter, LockKey};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

impl LockKey for str {
    #[inline]
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        out.push_str(self);
    }

    #[inline]
    fn as_text(&self) -> Option<&str> {
        Some(self)
    }
}

impl LockKey for Key {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        out.push_str(self.as_str());
    }
}

/// Types that are the key of what they refer to.
macro_rules! by_reference {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> LockKey for $type {
            #[inline]
            fn write_key(&self, out: &mut KeyWriter<'_>) {
                (**self).write_key(out);
            }

            #[inline]
            fn as_text(&self) -> Option<&str> {
                (**self).as_text()
            }

            #[inline]
            fn lockutils_uuid(&self) -> Option<u128> {
                (**self).lockutils_uuid()
            }
        }
    )*};
}

by_reference! {
    [T: LockKey + ?Sized] &T;
    [T: LockKey + ?Sized] &mut T;
    [T: LockKey + ?Sized] Box<T>;
    [T: LockKey + ?Sized] Rc<T>;
    [T: LockKey + ?Sized] Arc<T>;
    [] String;
    [] Cow<'_, str>;
    [] PathBuf;
    [] OsString;
}

/// Types whose `Display` text is one and the same for equal values.
macro_rules! by_display {
    ($($type:ty)*) => {$(
        impl LockKey for $type {
            fn write_key(&self, out: &mut KeyWriter<'_>) {
                write_display(self, out);
            }
        }
    )*};
}

by_display! {
    IpAddr Ipv4Addr Ipv6Addr
}

/// Integers, whose text is their digits. Not by `Display`, which takes longer than the lock.
macro_rules! integers {
    ($($type:ty: |$value:ident, $out:ident| $write:expr;)*) => {$(
        impl LockKey for $type {
            #[inline]
            fn write_key(&self, $out: &mut KeyWriter<'_>) {
                let $value = *self;
                $write;
            }
        }

        impl LockKey for NonZero<$type> {
            #[inline]
            fn write_key(&self, out: &mut KeyWriter<'_>) {
                self.get().write_key(out);
            }
        }
    )*};
}

integers! {
    u8: |value, out| out.push_number(value.into());
    u16: |value, out| out.push_number(value.into());
    u32: |value, out| out.push_number(value.into());
    u64: |value, out| out.push_number(value);
    usize: |value, out| out.push_number(value as u64);
    u128: |value, out| out.push_integer(false, value);
    i8: |value, out| i128::from(value).write_key(out);
    i16: |value, out| i128::from(value).write_key(out);
    i32: |value, out| i128::from(value).write_key(out);
    i64: |value, out| i128::from(value).write_key(out);
    isize: |value, out| (value as i128).write_key(out);
    i128: |value, out| out.push_integer(value < 0, value.unsigned_abs());
}

impl LockKey for bool {
    #[inline]
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        out.push_plain(if *self { "true" } else { "false" });
    }
}

impl LockKey for char {
    #[inline]
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        out.push_str(self.encode_utf8(&mut [0; 4]));
    }
}

impl LockKey for fmt::Arguments<'_> {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        write_format(*self, out);
    }

    #[inline]
    fn as_text(&self) -> Option<&str> {
        self.as_str()
    }
}

fn write_display(value: &dyn fmt::Display, out: &mut KeyWriter<'_>) {
    write_format(format_args!("{value}"), out);
}

pub(super) fn write_format(text: fmt::Arguments<'_>, out: &mut KeyWriter<'_>) {
    // Only an argument of `format_args!` whose own `Display` fails gets here;
    // going on would lock a key of half its text.
    let written = out.write_fmt(text);
    written.expect("a lock key's `Display` returned an error");
}

/// As it is written: `/var/lib` and `/var//lib` are two keys, though they compare as equal.
impl LockKey for Path {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        self.as_os_str().write_key(out);
    }
}

/// Bytes that are not UTF-8 are written as `%XX`. The rest stands as it is, so
/// that a path is the same key as its text; a path that has both such bytes and
/// a `%` of its own may therefore share its key with another.
impl LockKey for OsStr {
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        for chunk in self.as_encoded_bytes().utf8_chunks() {
            out.push_str(chunk.valid());
            for byte in chunk.invalid() {
                write!(out, "%{byte:02X}").expect("a key writer takes all text");
            }
        }
    }
}

macro_rules! tuples {
    ($(($($part:ident $index:tt)*))*) => {$(
        impl<$($part: LockKey),*> LockKey for ($($part,)*) {
            #[inline]
            fn write_key(&self, out: &mut KeyWriter<'_>) {
                $(out.part($index > 0, &self.$index);)*
            }
        }
    )*};
}

tuples! {
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
}

#[cfg(feature = "uuid")]
impl LockKey for uuid::Uuid {
    #[inline]
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        out.push_uuid(u128::from_le_bytes(self.into_bytes()));
    }

    #[inline]
    fn lockutils_uuid(&self) -> Option<u128> {
        Some(u128::from_le_bytes(self.into_bytes()))
    }
}

#[cfg(all(test, feature = "uuid"))]
proptest::proptest! {
    #[test]
    fn uuid_is_its_hyphenated_text(number: u128) {
        let uuid = uuid::Uuid::from_u128(number);
        proptest::prop_assert_eq!(Key::new(uuid), Key::new(uuid.hyphenated().to_string()));
    }
}
