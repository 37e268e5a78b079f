//! Keys that are format strings, such as `"vm-{id}"`, in pieces.
//!
//! What is captured by its name alone, and is a text, an integer, a `char`, a `bool` or a UUID, has
//! the text of its [`LockKey`]. So it needs no `fmt`, which takes longer than the lock. Which of
//! them are so is known when the function is compiled: [`Captured::lockutils_piece`] is the method that the
//! compiler finds first where its type is one of these, and that of [`Other`] for all others, as in
//! [`given`](crate::given); its name is one that no trait of the user's gives to all types. If there is one
//! of the others, all of the string is formatted. Where all of
//! them are arguments whose types are called as those of the language, there is most likely none, and the
//! macro writes a [`PiecedFormat`], of which the compiler has half as much to do: a type of the user's that is
//! called so is formatted by itself.

/// A format string as a key, as the attribute has it: `key!("vm-{id}")`.
///
/// It captures what is in scope, as `format!` does, and is the same key as that text; but it allocates
/// nothing. What stands in the braces by its name alone, and is a text, an integer, a `char`, a `bool` or
/// a UUID, is written without [`fmt`](std::fmt), which takes longer than an uncontended lock. All else
/// is written by its `Display`, or as the format string says, such as `{id:08}`.
///
/// As with [`format_args!`], what comes of it borrows what it captures, and is to be used in the statement
/// that it is in. For values that have no name there is `format_args!("vm-{}", vm.id)`, which is a
/// [`LockKey`](crate::LockKey) as well.
///
/// # Examples
///
/// ```
/// use lockutils::key;
///
/// let (user, id) = ("anna", 7);
/// let guard = lockutils::lock(key!("user-{user}-{id}"));
/// assert!(lockutils::is_locked("user-anna-7"));
/// ```
#[cfg(feature = "attribute")]
#[macro_export]
macro_rules! key {
    ($($text:tt)*) => {
        $crate::__private::format_key!($crate::__private, $($text)*)
    };
}

use super::impls::write_format;
use super::{KeyWriter, LockKey};
use std::borrow::Cow;
use std::fmt;
use std::num::NonZero;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

/// A key whose text is what `{}` shows of it.
pub trait Shown: LockKey {}

macro_rules! shown {
    ($([$($generics:tt)*] $type:ty;)*) => {$(impl<$($generics)*> Shown for $type {})*};
}

shown! {
    [] str;
    [] String;
    [] Cow<'_, str>;
    [] char;
    [] bool;
    [T: Shown + ?Sized] &T;
    [T: Shown + ?Sized] &mut T;
    [T: Shown + ?Sized] Box<T>;
    [T: Shown + ?Sized] Rc<T>;
    [T: Shown + ?Sized] Arc<T>;
}

macro_rules! integers {
    ($($type:ty)*) => {
        shown! {$(
            [] $type;
            [] NonZero<$type>;
        )*}
    };
}

integers! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize }

#[cfg(feature = "uuid")]
shown! { [] uuid::Uuid; }

/// Some of the pieces of a string, in their order. A pair is those that are before, and one more.
pub trait Pieces {
    /// Whether all of them can do without `fmt`.
    const ARE_SHOWN: bool;

    /// Writes them.
    fn write(&self, out: &mut KeyWriter<'_>);
}

/// What the string captures by a name.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a, T: ?Sized>(Other<'a, T>);

/// It needs `fmt`.
#[derive(Clone, Copy, Debug)]
pub struct Other<'a, T: ?Sized>(Any, &'a T);

/// It needs `fmt`, which all of the string is written by.
#[derive(Clone, Copy, Debug)]
pub struct Any;

/// It needs `fmt`, which it is written by alone.
#[derive(Clone, Copy, Debug)]
pub struct Displayed<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> Captured<'a, T> {
    /// The question.
    #[inline]
    pub const fn new(value: &'a T) -> Self {
        Self(Other(Any, value))
    }
}

impl<'a, T: Shown + ?Sized> Captured<'a, T> {
    /// It does without.
    #[inline]
    #[must_use]
    pub const fn lockutils_piece(&self) -> &'a T {
        self.0.1
    }

    /// The same, in a [`PiecedFormat`].
    #[inline]
    #[must_use]
    pub const fn lockutils_lone_piece(&self) -> &'a T {
        self.0.1
    }
}

impl<'a, T: ?Sized> Deref for Captured<'a, T> {
    type Target = Other<'a, T>;

    #[inline]
    fn deref(&self) -> &Other<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Other<'a, T> {
    /// In a [`Format`].
    #[inline]
    #[must_use]
    pub const fn lockutils_piece(&self) -> Any {
        self.0
    }

    /// In a [`PiecedFormat`].
    #[inline]
    #[must_use]
    pub const fn lockutils_lone_piece(&self) -> Displayed<'a, T>
    where
        T: fmt::Display,
    {
        Displayed(self.1)
    }
}

impl Pieces for Any {
    const ARE_SHOWN: bool = false;

    #[inline]
    fn write(&self, _out: &mut KeyWriter<'_>) {}
}

impl<T: fmt::Display + ?Sized> Pieces for Displayed<'_, T> {
    const ARE_SHOWN: bool = false;

    #[inline]
    fn write(&self, out: &mut KeyWriter<'_>) {
        write_format(format_args!("{}", self.0), out);
    }
}

impl<T: Shown + ?Sized> Pieces for &T {
    const ARE_SHOWN: bool = true;

    #[inline]
    fn write(&self, out: &mut KeyWriter<'_>) {
        self.write_key(out);
    }
}

impl<A: Pieces, B: Pieces> Pieces for (A, B) {
    const ARE_SHOWN: bool = A::ARE_SHOWN && B::ARE_SHOWN;

    #[inline]
    fn write(&self, out: &mut KeyWriter<'_>) {
        self.0.write(out);
        self.1.write(out);
    }
}

/// A format string as a key.
#[derive(Debug)]
pub struct Format<'a, P> {
    pieces: P,
    /// The same for `fmt`; the compiler's errors about the string are from this.
    whole: fmt::Arguments<'a>,
}

impl<'a, P: Pieces> Format<'a, P> {
    /// Of the pieces, and of all of it.
    #[inline]
    pub const fn new(pieces: P, whole: fmt::Arguments<'a>) -> Self {
        Self { pieces, whole }
    }
}

impl<P: Pieces> LockKey for Format<'_, P> {
    #[inline]
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        if P::ARE_SHOWN {
            self.pieces.write(out);
        } else {
            write_format(self.whole, out);
        }
    }
}

/// A format string as a key, each of whose pieces is written by itself.
#[derive(Debug)]
pub struct PiecedFormat<P>(pub P);

impl<P: Pieces> LockKey for PiecedFormat<P> {
    #[inline]
    fn write_key(&self, out: &mut KeyWriter<'_>) {
        self.0.write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::{Captured, Format, PiecedFormat, Pieces};
    use crate::key::Key;

    const fn is_shown<P: Pieces>(_pieces: &P) -> bool {
        P::ARE_SHOWN
    }

    #[test]
    fn only_what_has_another_text_is_formatted() {
        let (id, share) = (7, 0.5);
        assert!(is_shown(&("vm-", Captured::new(&id).lockutils_piece())));
        assert!(is_shown(&(
            Captured::new(&"a").lockutils_piece(),
            Captured::new(&'b').lockutils_piece()
        )));
        assert!(!is_shown(&(
            (Captured::new(&share).lockutils_piece(), "-"),
            Captured::new(&id).lockutils_piece()
        )));
        assert!(!is_shown(
            &Captured::new(&format_args!("{id}")).lockutils_piece()
        ));
        let pieces = (
            Captured::new(&share).lockutils_piece(),
            Captured::new(&id).lockutils_piece(),
        );
        assert_eq!(
            Key::new(Format::new(pieces, format_args!("{share}{id}"))).as_str(),
            "0.57"
        );
    }

    #[test]
    fn piece_that_needs_fmt_is_written_by_itself() {
        let (id, share) = (7, 0.5);
        let (id, share) = (Captured::new(&id), Captured::new(&share));
        let pieces = (("vm-", id.lockutils_lone_piece()), "/");
        assert!(is_shown(&pieces));
        assert_eq!(Key::new(PiecedFormat(pieces)).as_str(), "vm-7/");
        let pieces = (
            ("vm-", share.lockutils_lone_piece()),
            id.lockutils_lone_piece(),
        );
        assert!(!is_shown(&pieces));
        assert_eq!(Key::new(PiecedFormat(pieces)).as_str(), "vm-0.57");
    }

    #[cfg(feature = "uuid")]
    #[test]
    fn uuid_has_the_text_of_its_display() {
        let id = uuid::Uuid::from_u128(0x2f1c);
        let pieces = ("vm-", Captured::new(&id).lockutils_piece());
        assert!(is_shown(&pieces));
        let key = Key::new(Format::new(pieces, format_args!("")));
        assert_eq!(key.as_str(), format!("vm-{id}"));
    }
}
