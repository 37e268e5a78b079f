//! The fencing token of a hold.

use std::fmt;
use std::num::TryFromIntError;

/// What tells the holds of one lock apart, in their order: each hold of a key has a greater one than
/// all before it had, in whatever process.
///
/// A *fencing token*. Whoever writes it beside what the lock guards, and refuses a smaller one, is
/// safe from a holder that went on after it had lost the lock. Made by the engines of servers.
///
/// # Examples
///
/// ```
/// use lockutils::Fence;
///
/// /// What a database is told along with each write.
/// fn parameter(fence: Fence) -> Result<i64, std::num::TryFromIntError> {
///     i64::try_from(fence)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub(crate) u64);

impl Fence {
    /// Of a guard that holds no lock.
    pub(crate) const LEAST: Self = Self(0);

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<Fence> for u64 {
    fn from(fence: Fence) -> Self {
        fence.0
    }
}

impl TryFrom<Fence> for i64 {
    type Error = TryFromIntError;

    fn try_from(fence: Fence) -> Result<Self, TryFromIntError> {
        fence.0.try_into()
    }
}
