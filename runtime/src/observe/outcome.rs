//! What a wait has come to.

/// How a wait for a lock has ended.
///
/// # Examples
///
/// ```
/// use lockutils::observe::Outcome;
///
/// assert_eq!(Outcome::TimedOut.name(), "timeout");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It got the lock.
    Acquired,
    /// Its time was over.
    TimedOut,
    /// Its future was dropped.
    Cancelled,
    /// It would never have ended, and was given an error or a panic.
    Deadlock,
    /// The lock can't be used: its file, or the server that has it. Of locks in the process this never
    /// comes.
    Failed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 5] = [
        Self::Acquired,
        Self::TimedOut,
        Self::Cancelled,
        Self::Deadlock,
        Self::Failed,
    ];

    /// What it is called in metrics and traces: `acquired`, `timeout`, `cancelled`, `deadlock` or
    /// `failed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acquired => "acquired",
            Self::TimedOut => "timeout",
            Self::Cancelled => "cancelled",
            Self::Deadlock => "deadlock",
            Self::Failed => "failed",
        }
    }
}
