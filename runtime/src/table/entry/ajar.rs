//! What an entry has to do with being [ajar](crate::table::ajar).

use super::Entry;
use crate::owner::Owner;

impl Entry {
    /// Whether nobody has it, and nobody need see who takes it until a thread comes that was called.
    pub(crate) fn may_be_ajar(&self) -> bool {
        let first = || self.queue().first();
        self.permits == 1
            && self.first.is_none()
            && first().is_some_and(|(_, first)| first.record.owner.is_thread())
    }

    /// The tasks that have taken it by its bucket alone, if anybody waits for it.
    pub(crate) fn thin_tasks(&self) -> Vec<Owner> {
        if self.permits > 1 || self.first_waiter().is_none() {
            return Vec::new();
        }
        let mut tasks = Vec::new();
        for (number, (ticket, holder)) in self.holders().enumerate() {
            let (is_thin, owner) = (ticket.is_of_bucket(), holder.record.owner);
            // Behind the first one the bucket's tickets come before all others.
            if number > 0 && !is_thin {
                break;
            }
            if is_thin && !owner.is_thread() {
                tasks.push(owner);
            }
        }
        tasks
    }
}
