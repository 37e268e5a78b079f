//! How locks are held.

/// How one holder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Alone.
    Exclusive,
    /// Together with other shared holders. Where there are several permits, with one of them.
    Shared,
}

/// Whether a thread that holds the lock already goes straight in.
///
/// It is for threads: a task that awaits a lock has no way to say it, since the
/// branches of a `join!` are one task, and each of them is to wait for the others.
///
/// ```compile_fail,E0061
/// use lockutils::Site;
/// use lockutils::engine::{Mode, Reentry, Space, Task};
///
/// # async fn f() {
/// let (task, site) = (Task::current().await, Site::here());
/// let _ = lockutils::global().begin_async(&"key", Mode::Exclusive, Reentry::Allowed, site, task);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reentry {
    /// A thread that holds the lock can't have it again.
    Refused,
    /// A thread that holds the lock goes straight in.
    Allowed,
}

/// How a lock is to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) mode: Mode,
    pub(crate) reentry: Reentry,
}

/// What a space's locks have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How many may hold a lock at once. If one, it can also be held shared.
    pub(crate) permits: u32,
    /// Whether newcomers never overtake.
    pub(crate) fair: bool,
}

/// Of which class a space's locks are, where the [order](crate::order) is looked at in which locks
/// are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Of their space's.
    Space,
    /// Of that of all spaces that are called the same: each lock has a space of its own.
    Name,
    /// Each of its own: the keys of the space are of many kinds, and have no order.
    Key,
    /// Of none: others are never asked for while one of them is held.
    None,
}

impl Mode {
    /// The terms of a lock that isn't re-entered.
    pub(crate) const fn once(self) -> Terms {
        Terms {
            mode: self,
            reentry: Reentry::Refused,
        }
    }
}
