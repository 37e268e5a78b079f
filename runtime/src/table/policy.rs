//! How locks are held.

/// How one holder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Exclusive,
    /// Together with other shared holders. With several permits, one of them.
    Shared,
}

/// How a lock is to be held, and by whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) mode: Mode,
    /// Whether a thread that holds the lock goes straight in.
    pub(crate) reentrant: bool,
}

impl Terms {
    pub(crate) const EXCLUSIVE: Self = Self {
        mode: Mode::Exclusive,
        reentrant: false,
    };
}

/// What a space's locks have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How many may hold a lock at once. If one, it can also be held shared.
    pub(crate) permits: u32,
    /// Whether newcomers never overtake.
    pub(crate) fair: bool,
}
