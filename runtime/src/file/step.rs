//! What is asked of a lock file, and what comes of it.

use super::path::Rule;
use super::sleep::Claim;
use crate::site::Site;
use crate::table::policy::{Mode, Reentry};
use std::time::Instant;

/// How a lock is to be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) rule: Rule,
    pub(super) mode: Mode,
    pub(super) reentry: Reentry,
    pub(super) site: Site,
    /// Whether it waits while the process lets others go first.
    pub(super) gives_way: bool,
}

/// How a wait in the kernel has begun.
#[derive(Debug)]
pub(super) enum Sleep {
    For(Claim),
    /// Too many threads wait already.
    TooMany,
    /// The name leads elsewhere by now.
    Elsewhere,
}

/// What a try has come to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tried {
    Taken {
        /// Whether the kernel was asked, and not others in the process.
        anew: bool,
    },
    Busy,
    /// The process lets others go first until then.
    Paused(Instant),
    /// The name leads elsewhere by now.
    Elsewhere,
}
