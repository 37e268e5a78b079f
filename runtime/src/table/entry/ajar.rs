//! What an entry has to do with being [ajar](crate::table::ajar).

use super::Entry;
use crate::owner::Owner;

impl Entry {
    /// Whether nobody has it, and nobody need see who takes it until a thread comes that was called.
    pub(crate) fn may_be_ajar(&self) -> bool {
        let first = || self.queue().first();
        self.permits == 1
            && self.first.is_none()
            && !self.is_blamed()
            && first().is_some_and(|(_, first)| first.record.owner.is_thread())
    }

    /// The tasks that have taken it by its bucket alone.
    pub(crate) fn thin_tasks(&self) -> Vec<Owner> {
        let holders = self.holders();
        let thin = holders.filter(|(ticket, _)| ticket.is_of_bucket());
        let owners = thin.map(|(_, holder)| holder.record.owner);
        owners.filter(|owner| !owner.is_thread()).collect()
    }
}
