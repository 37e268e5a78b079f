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

mod digits;
mod impls;
pub(crate) mod pieces;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod uuid;

use digits::Word;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::MaybeUninit;
use std::ptr;
use std::slice;
use text::{SHORT, copy_short, has_separator};

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
/// A text can be 4 GiB long: to take the lock of a longer one panics.
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

    /// The bytes of the UUID, the first one lowest, if the value is one, whose text [`LockKey::write_key`] writes. Its
    /// lock is taken without that. By value: what is moved to memory, to be read from there, is waited for.
    #[doc(hidden)]
    #[inline]
    fn lockutils_uuid(&self) -> Option<u128> {
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
    /// The first `len` bytes are there, and are whole UTF-8 text.
    Inline {
        len: u8,
        bytes: Bytes,
    },
    Heap(String),
}

/// Not cleared, which would cost as much as the lock. Aligned, so that copying a key copies words.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Bytes([MaybeUninit<u8>; SHORT]);

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
            bytes: Bytes([MaybeUninit::uninit(); SHORT]),
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
            Repr::Inline { len, bytes } => {
                // SAFETY: so many of them are there, see `Repr`.
                #[expect(unsafe_code, reason = "the rest isn't there")]
                unsafe {
                    slice::from_raw_parts(bytes.0.as_ptr().cast(), usize::from(*len))
                }
            }
            Repr::Heap(text) => text.as_bytes(),
        }
    }

    /// The key of a text.
    #[inline]
    pub(crate) fn from_text(text: &str) -> Self {
        if text.len() > SHORT {
            return Self(Repr::Heap(text.to_owned()));
        }
        let mut key = Self::empty();
        key.push_str(text);
        key
    }

    /// The key of a text's bytes. Whether they are one is checked where it is [shown](Key::as_str): it takes
    /// longer than the copy.
    pub(crate) fn from_utf8(text: &[u8]) -> Self {
        let mut key = Self::empty();
        key.set_utf8(text);
        key
    }

    /// The same where the key is to stay: to move it costs as much.
    #[inline]
    pub(crate) fn set_utf8(&mut self, text: &[u8]) {
        match &mut self.0 {
            Repr::Inline { len, bytes } if text.len() <= SHORT => {
                copy_short(as_uninit(text), &mut bytes.0[..text.len()]);
                *len = u8::try_from(text.len()).expect("an inline key has at most 64 bytes");
            }
            _ => *self = Self::from_bytes(text.to_vec()),
        }
    }

    /// The same of bytes that are on the heap, where they stay.
    pub(crate) fn from_bytes(text: Vec<u8>) -> Self {
        Self(Repr::Heap(
            String::from_utf8(text).expect("the bytes of a `str`"),
        ))
    }

    #[inline]
    pub(crate) fn push_str(&mut self, text: &str) {
        match &mut self.0 {
            Repr::Inline { len, bytes } => {
                let start = usize::from(*len);
                let end = start + text.len();
                if let Some(free) = bytes.0.get_mut(start..end) {
                    copy_short(as_uninit(text.as_bytes()), free);
                    *len = u8::try_from(end).expect("an inline key has at most 64 bytes");
                } else {
                    self.spill(text);
                }
            }
            Repr::Heap(heap) => heap.push_str(text),
        }
    }

    /// Appends up to eight bytes, by one store where there is room for all of the word.
    #[inline]
    fn push_word(&mut self, Word { text, length }: Word) {
        self.push_words([text], length);
    }

    /// Appends the first `length` bytes of some words, which are ASCII.
    #[inline]
    fn push_words<const N: usize>(&mut self, words: [u64; N], length: u8) {
        if let Repr::Inline { len, bytes } = &mut self.0 {
            let free = bytes.0.get_mut(usize::from(*len)..);
            if let Some(places) = free.and_then(|free| free.get_mut(..8 * N)) {
                for (place, word) in places.chunks_exact_mut(8).zip(words) {
                    place.copy_from_slice(as_uninit(&word.to_le_bytes()));
                }
                *len += length;
                return;
            }
        }
        let text = words.map(u64::to_le_bytes);
        self.push_ascii(&text.as_flattened()[..usize::from(length)]);
    }

    #[cold]
    fn push_ascii(&mut self, text: &[u8]) {
        self.push_str(std::str::from_utf8(text).expect("ASCII is text"));
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

fn as_uninit(text: &[u8]) -> &[MaybeUninit<u8>] {
    // SAFETY: it has the layout of a byte, and nobody writes by this reference.
    #[expect(unsafe_code, reason = "bytes that are there may be ones that aren't")]
    unsafe {
        &*(ptr::from_ref(text) as *const [MaybeUninit<u8>])
    }
}

/// The text of a key, which is written into `copy`, an empty one, only if the value doesn't
/// have it in one piece.
///
/// For one call of ours this is done once, however often the call goes on to look at the
/// text: what writes it is the user's, and may write something else the next time.
#[inline]
pub(crate) fn text_of<'a>(value: &'a (impl LockKey + ?Sized), copy: &'a mut Key) -> &'a [u8] {
    if let Some(text) = value.as_text() {
        return text.as_bytes();
    }
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
            self.push_part(text);
        }
    }

    /// Appends a text in which there is nothing to escape.
    #[inline]
    fn push_plain(&mut self, text: &str) {
        self.key.push_str(text);
    }

    /// Appends the digits of a number.
    #[inline(never)]
    fn push_number(&mut self, number: u64) {
        if number < digits::WORD {
            self.key.push_word(digits::decimal(number));
        } else {
            self.push_long(number);
        }
    }

    /// The same, of one that takes several words.
    #[inline(never)]
    fn push_long(&mut self, number: u64) {
        self.push_number(number / digits::WORD);
        self.key.push_word(digits::padded(number % digits::WORD));
    }

    /// Appends an integer of any type.
    fn push_integer(&mut self, is_negative: bool, magnitude: u128) {
        if is_negative {
            self.push_plain("-");
        }
        if let Ok(number) = u64::try_from(magnitude) {
            self.push_number(number);
        } else {
            let word = u128::from(digits::WORD);
            self.push_integer(false, magnitude / word);
            let last = u64::try_from(magnitude % word).expect("less than a word");
            self.key.push_word(digits::padded(last));
        }
    }

    /// Appends a UUID, with hyphens and in lower case.
    #[cfg(feature = "uuid")]
    #[inline(never)]
    fn push_uuid(&mut self, uuid: u128) {
        use uuid::UuidText;

        let UuidText(words) = UuidText::new(uuid);
        self.key.push_words(words, UuidText::LENGTH);
    }

    /// Appends the parts, joined by `/`, each escaped so that different tuples
    /// of one length have different text.
    pub fn tuple(&mut self, parts: &[&dyn LockKey]) {
        for (index, part) in parts.iter().enumerate() {
            self.part(index > 0, *part);
        }
    }

    /// Appends one part of a tuple, which may have others before it. By calls of this, one after
    /// the other, the compiler sees what each part is.
    #[doc(hidden)]
    #[inline]
    pub fn part(&mut self, is_next: bool, part: &dyn LockKey) {
        if is_next {
            self.push_str("/");
        }
        self.depth += 1;
        part.write_key(self);
        self.depth -= 1;
    }

    fn push_part(&mut self, text: &str) {
        if has_separator(text.as_bytes()) {
            self.push_escaped(text);
        } else {
            self.key.push_str(text);
        }
    }

    #[cold]
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
