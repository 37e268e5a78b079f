//! Keys: what callers exclude each other on.
//!
//! A key is its text. [`LockKey`] says how a value is written as text into a
//! [`KeyWriter`], and [`Key`] is the finished text, owned, so that a guard
//! borrows nothing from the arguments it was made from. Text of up to 64 bytes
//! stands in the `Key` itself; longer text is on the heap.
//!
//! A tuple is its parts joined by `/`. So that different tuples of one arity
//! have different text, a `/` or a `%` inside a part is escaped, as `%2F` and
//! `%25`. A tuple inside a tuple is one part, so its text is escaped once more;
//! the writer counts how deep it stands and escapes as it writes, without a
//! second buffer.

mod impls;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// How many bytes of text a [`Key`] holds without allocating.
const INLINE: usize = 64;

/// A value that names a lock.
///
/// Two values are the same key when they write the same text, whatever their
/// types: `7_u32`, `"7"` and `String::from("7")` are one key, and so are `("vm", 7)` and
/// `"vm/7"`.
///
/// Implemented for `str`, `String`, `Cow<str>`, `char`, `bool`, all integers and
/// `NonZero` integers, references, `Box`, `Rc` and `Arc` of keys, tuples of two
/// to eight keys, `Path`, `PathBuf`, `OsStr`, `OsString`, IP addresses,
/// [`fmt::Arguments`], and `uuid::Uuid` with the feature `uuid`.
///
/// Floats, `Option`, byte strings, collections and `Debug` text are not keys:
/// they have no text that is sure to be one and the same for equal values.
///
/// # Examples
///
/// A type of one's own, whose fields are keys:
///
/// ```
/// use lockutils::{Key, LockKey};
///
/// #[derive(LockKey)]
/// struct Volume { host: String, id: u32 }
///
/// let volume = Volume { host: "node/1".into(), id: 7 };
/// assert_eq!(Key::new(&volume).as_str(), "node%2F1/7");
/// ```
///
/// And one whose key is to be something else:
///
/// ```
/// use lockutils::{Key, KeyWriter, LockKey};
///
/// struct Host(String);
///
/// impl LockKey for Host {
///     fn write_key(&self, out: &mut KeyWriter<'_>) {
///         out.push_str(&self.0.to_lowercase());
///     }
/// }
///
/// assert_eq!(Key::new(Host("Node".into())).as_str(), "node");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as a lock key",
    label = "not a lock key",
    note = "a lock key has one text: a string, an integer, a `char`, a `bool`, a path, an IP address, a UUID (feature `uuid`), or a tuple of these",
    note = "for a type of your own use one of its fields, or write `#[derive(LockKey)]` above it; a field that is no part of its key has `#[lock_key(skip)]`",
    note = "for a float write its `.to_bits()`; for an `Option` a `match`, or a default with `.unwrap_or(..)`; for bytes their text, such as `std::str::from_utf8(bytes)?`; for a list, whose elements are keys, `keys = ..`; for a future its output, by `.await`; for anything that implements `Display`, `format_args!(\"{{}}\", value)`"
)]
pub trait LockKey {
    /// Writes the key's text to `out`.
    ///
    /// Values that are to be one lock must write equal text, and values that are to be different
    /// locks must write different text.
    fn write_key(&self, out: &mut KeyWriter<'_>);

    /// The key's text, if the value has it in one piece, which saves copying it.
    ///
    /// The same text as [`LockKey::write_key`] writes.
    #[inline]
    fn as_text(&self) -> Option<&str> {
        None
    }
}

/// The text of a key, owned.
///
/// Holds up to 64 bytes in place; longer text is allocated. Compares, orders and
/// hashes as its text, and [`Display`](fmt::Display) gives the text.
///
/// # Examples
///
/// ```
/// use lockutils::Key;
///
/// assert_eq!(Key::new(7), Key::new("7"));
/// assert_eq!(Key::new(("vm", 7)).as_str(), "vm/7");
/// // So that different tuples are different keys, a `/` inside of a part is escaped.
/// assert_eq!(Key::new(("a/b", "c")).as_str(), "a%2Fb/c");
/// ```
#[derive(Clone)]
pub struct Key(Repr);

#[derive(Clone)]
enum Repr {
    /// The first `len` bytes are whole UTF-8 text.
    Inline {
        len: u8,
        bytes: Bytes,
    },
    Heap(String),
}

/// Aligned, so that copying a key copies words.
#[derive(Clone)]
#[repr(align(8))]
struct Bytes([u8; INLINE]);

impl Key {
    /// Writes down the key of `value`.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockutils::Key;
    ///
    /// assert_eq!(Key::new(("vm", 7)).as_str(), "vm/7");
    /// ```
    #[inline]
    pub fn new(value: impl LockKey) -> Self {
        Self::of(&value)
    }

    /// [`Key::new`] of a value that may be a trait object.
    #[inline]
    pub(crate) fn of(value: &(impl LockKey + ?Sized)) -> Self {
        match value.as_text() {
            Some(text) => Self::from_text(text),
            None => Self::written(value),
        }
    }

    /// The key of a value that doesn't have its text in one piece.
    #[inline]
    pub(crate) fn written(value: &(impl LockKey + ?Sized)) -> Self {
        let mut key = Self::empty();
        key.write(value);
        key
    }

    #[inline]
    pub(crate) fn write(&mut self, value: &(impl LockKey + ?Sized)) {
        value.write_key(&mut KeyWriter {
            key: self,
            depth: 0,
        });
    }

    pub(crate) const fn empty() -> Self {
        Self(Repr::Inline {
            len: 0,
            bytes: Bytes([0; INLINE]),
        })
    }

    /// The key's text.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the bytes are always whole text")]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline { .. } => {
                std::str::from_utf8(self.as_bytes()).expect("only whole `str`s are pushed")
            }
            Repr::Heap(text) => text,
        }
    }

    /// The text's bytes, without the check that [`Key::as_str`] makes.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes.0[..usize::from(*len)],
            Repr::Heap(text) => text.as_bytes(),
        }
    }

    /// The key of a text.
    #[inline]
    pub(crate) fn from_text(text: &str) -> Self {
        let mut bytes = Bytes([0; INLINE]);
        match bytes.0.get_mut(..text.len()) {
            Some(place) => {
                copy_short(text.as_bytes(), place);
                Self(Repr::Inline {
                    len: u8::try_from(text.len()).expect("an inline key has at most 64 bytes"),
                    bytes,
                })
            }
            None => Self(Repr::Heap(text.to_owned())),
        }
    }

    /// The key of a text's bytes.
    pub(crate) fn from_utf8(text: &[u8]) -> Self {
        Self::from_text(std::str::from_utf8(text).expect("the bytes of a `str`"))
    }

    #[inline]
    fn push_str(&mut self, text: &str) {
        match &mut self.0 {
            Repr::Inline { len, bytes } => {
                let start = usize::from(*len);
                let end = start + text.len();
                if let Some(free) = bytes.0.get_mut(start..end) {
                    copy_short(text.as_bytes(), free);
                    *len = u8::try_from(end).expect("an inline key has at most 64 bytes");
                } else {
                    self.spill(text);
                }
            }
            Repr::Heap(heap) => heap.push_str(text),
        }
    }

    /// Moves the text to the heap, with `more` behind it.
    #[cold]
    fn spill(&mut self, more: &str) {
        let mut heap = String::with_capacity(2 * (self.as_bytes().len() + more.len()));
        heap.push_str(self.as_str());
        heap.push_str(more);
        self.0 = Repr::Heap(heap);
    }
}

/// The text of a key, which is written into `copy` only if the value doesn't
/// have it in one piece.
///
/// For one call of ours this is done once, however often the call goes on to look at the
/// text: what writes it is the user's, and may write something else the next time.
#[inline]
pub(crate) fn text_of<'a>(
    value: &'a (impl LockKey + ?Sized),
    copy: &'a mut Option<Key>,
) -> &'a [u8] {
    if let Some(text) = value.as_text() {
        return text.as_bytes();
    }
    // Made here and not by the caller: to clear room for a text costs as much as the lock.
    let copy = copy.insert(Key::empty());
    copy.write(value);
    copy.as_bytes()
}

impl Default for Key {
    /// The empty key.
    fn default() -> Self {
        Self::empty()
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Key {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// Copies at most 64 bytes to a place of their length, in two pieces that may overlap.
/// They have a fixed size, so they are a few instructions and no call.
#[inline]
pub(crate) fn copy_short(text: &[u8], place: &mut [u8]) {
    match text.len() {
        0..4 => {
            // Not a loop, of which the compiler would make the call.
            for at in [0, text.len() / 2, text.len().saturating_sub(1)] {
                if let (Some(to), Some(from)) = (place.get_mut(at), text.get(at)) {
                    *to = *from;
                }
            }
        }
        4..8 => copy_ends::<4>(text, place),
        8..16 => copy_ends::<8>(text, place),
        16..32 => copy_ends::<16>(text, place),
        _ => copy_ends::<32>(text, place),
    }
}

#[inline]
fn copy_ends<const N: usize>(text: &[u8], place: &mut [u8]) {
    if let (Some(to), Some(from)) = (place.first_chunk_mut::<N>(), text.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (place.last_chunk_mut::<N>(), text.last_chunk()) {
        *to = *from;
    }
}

/// Where a [`LockKey`] writes its text.
///
/// Also a [`fmt::Write`], so `let _ = write!(out, "{}", self.id);` works, and takes all text.
///
/// # Examples
///
/// ```
/// use lockutils::{Key, KeyWriter, LockKey};
/// use std::fmt::Write as _;
///
/// /// Upper and lower case are one host.
/// struct Host<'a>(&'a str, u16);
///
/// impl LockKey for Host<'_> {
///     fn write_key(&self, out: &mut KeyWriter<'_>) {
///         let _ = write!(out, "{}:{}", self.0.to_lowercase(), self.1);
///     }
/// }
///
/// assert_eq!(Key::new(Host("Example.org", 443)).as_str(), "example.org:443");
/// ```
#[derive(Debug)]
pub struct KeyWriter<'a> {
    key: &'a mut Key,
    /// How many tuples the writer stands in: so often `/` and `%` are escaped.
    depth: usize,
}

impl KeyWriter<'_> {
    /// Appends `text`; inside a tuple `/` and `%` are escaped.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        if self.depth == 0 {
            self.key.push_str(text);
        } else {
            self.push_escaped(text);
        }
    }

    /// Appends a text in which there is nothing to escape.
    #[inline]
    fn push_plain(&mut self, text: &str) {
        self.key.push_str(text);
    }

    /// Appends the parts, joined by `/`, each escaped so that different tuples
    /// of one length have different text.
    pub fn tuple(&mut self, parts: &[&dyn LockKey]) {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.push_str("/");
            }
            self.depth += 1;
            part.write_key(self);
            self.depth -= 1;
        }
    }

    fn push_escaped(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(['/', '%']) {
            self.key.push_str(&rest[..at]);
            // Escaping once gives `%2F` and `%25`; each further time turns the
            // leading `%` into `%25`.
            self.key.push_str("%");
            for _ in 1..self.depth {
                self.key.push_str("25");
            }
            self.key.push_str(if rest.as_bytes()[at] == b'/' {
                "2F"
            } else {
                "25"
            });
            rest = &rest[at + 1..];
        }
        self.key.push_str(rest);
    }
}

impl fmt::Write for KeyWriter<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
        fn integer_is_its_digits(wide: i128, word: u64, byte: i8) {
            prop_assert_eq!(text(wide), wide.to_string());
            prop_assert_eq!(text(word), word.to_string());
            prop_assert_eq!(text(byte), byte.to_string());
            prop_assert_eq!(text(("vm", byte)), format!("vm/{byte}"));
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
        let short = "x".repeat(INLINE);
        let long = "é".repeat(33);
        assert!(matches!(Key::new(&short).0, Repr::Inline { .. }));
        assert!(matches!(Key::new(&long).0, Repr::Heap(_)));
        assert_eq!(text(&short), short);
        assert_eq!(text(&long), long);
        assert_eq!(text((&short, &long)), format!("{short}/{long}"));
    }

    #[test]
    fn short_text_of_every_length_is_copied() {
        let text: Vec<u8> = (1..).take(INLINE).collect();
        for length in 0..=INLINE {
            let mut place = vec![0; length];
            copy_short(&text[..length], &mut place);
            assert_eq!(place, text[..length]);
        }
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
}
