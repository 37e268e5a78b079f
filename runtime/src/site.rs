//! Who holds a lock: the place in the code, and the thread or task.

use crate::owner::Owner;
use std::fmt;
use std::panic::Location;
use std::ptr::{self, NonNull};

/// A place in the code that takes a lock.
///
/// [`Display`](fmt::Display) gives `connect (src/cells.rs:41)` for an annotated
/// function, and `src/cells.rs:41` for a call.
///
/// It is one word, since it is written down at each acquisition: the address of a
/// [`Location`], or that of a [`Function`] with its lowest bit set.
///
/// # Examples
///
/// ```
/// use lockutils::Site;
///
/// let site = Site::here();
/// assert_eq!(site.location().line(), line!() - 1);
/// assert_eq!(site.function(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Site(NonNull<()>);

/// An annotated function, which is a constant in its code.
#[doc(hidden)]
#[derive(Debug)]
pub struct Function {
    name: &'static str,
    location: &'static Location<'static>,
}

// So that the lowest bit is free.
const _: () = assert!(align_of::<Location<'_>>() > 1 && align_of::<Function>() > 1);

// SAFETY: it is a shared reference to one of two types that are `Sync`.
#[expect(unsafe_code, reason = "a pointer that stands for a shared reference")]
unsafe impl Send for Site {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a pointer that stands for a shared reference")]
unsafe impl Sync for Site {}

impl Function {
    /// The function with this name, whose attribute is the caller.
    #[must_use]
    #[track_caller]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            location: Location::caller(),
        }
    }
}

impl Site {
    /// The caller's place.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn here() -> Self {
        match NonNull::new(ptr::from_ref(Location::caller()).cast_mut().cast()) {
            Some(location) => Self(location),
            None => unreachable!(),
        }
    }

    #[inline]
    pub(crate) const fn of_function(function: &'static Function) -> Self {
        let function = ptr::from_ref(function).cast_mut().cast::<()>();
        Self(NonNull::new(function.wrapping_byte_add(1)).expect("next to a reference"))
    }

    /// The word itself. The same place may have several.
    pub(crate) fn address(self) -> usize {
        self.0.as_ptr().addr()
    }

    /// The annotated function's name, if the lock was taken by the attribute.
    #[must_use]
    pub fn function(&self) -> Option<&'static str> {
        self.place().err().map(|function| function.name)
    }

    /// The file and the line.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.place().unwrap_or_else(|function| function.location)
    }

    /// What the word is the address of.
    #[expect(unsafe_code, reason = "the word becomes the reference it was")]
    fn place(&self) -> Result<&'static Location<'static>, &'static Function> {
        let word = self.0.as_ptr();
        if word.addr() % 2 == 0 {
            // SAFETY: only `here` makes a word with this bit clear, of such a reference.
            Ok(unsafe { &*word.cast() })
        } else {
            // SAFETY: only `of_function` makes a word with this bit set, next to such a
            // reference.
            Err(unsafe { &*word.wrapping_byte_sub(1).cast() })
        }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({self})")
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.location().file(), self.location().line());
        match self.function() {
            Some(function) => write!(f, "{function} ({file}:{line})"),
            None => write!(f, "{file}:{line}"),
        }
    }
}

/// What is written down when a lock is taken: who, and where in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) owner: Owner,
    pub(crate) site: Site,
}
