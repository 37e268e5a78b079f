//! Who has a lock, as the table knows it.

use super::moment::Since;
use crate::site::Record;

/// A holder.
#[derive(Clone, Copy)]
pub(crate) struct Occupant {
    pub(crate) record: Record,
    pub(crate) since: Since,
}

impl Occupant {
    /// One of whom it isn't known since when.
    pub(crate) const fn new(record: Record) -> Self {
        let since = Since::UNKNOWN;
        Self { record, since }
    }
}
