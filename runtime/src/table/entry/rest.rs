//! A lock that nobody waits for any more, and may go without its entry.
//!
//! Where there is always some holder, an entry would stay for ever. So who joins the holders of a lock that its
//! bucket alone can have gets one of the bucket's tickets, while there is one left; and if nobody else
//! is there, the holders go back [into the bucket](crate::table::bucket::Bucket::deflate).
//!
//! Who came through the queue, or when no ticket of the bucket was left, keeps the ticket of its own that it
//! has. So the lock is an entry until the last of those has gone.

use super::Entry;
use crate::table::bucket::{BUCKETS, index};
use crate::table::moment::Since;
use crate::table::place::{SLOTS, Ticket};
use crate::table::policy::Mode;
use crate::table::record::{Kind, TEXT};

impl Entry {
    /// The ticket of who joins the holders.
    pub(super) fn ticket_to_join(&self, mode: Mode) -> Ticket {
        self.free_slot(mode).unwrap_or_else(Ticket::draw)
    }

    /// That of a slot that nobody has, if it is to be had.
    fn free_slot(&self, mode: Mode) -> Option<Ticket> {
        let has_slots = self.has_tickets && Kind::new(mode, self.permits).is_joint();
        let mut slots = (0..SLOTS).filter(|_| has_slots).map(Ticket::of_slot);
        slots.find(|ticket| !self.is_held_by(*ticket))
    }

    /// Whether it is one of the bucket of a hash.
    pub(crate) const fn is_in_bucket(&self, hash: u64) -> bool {
        self.number % BUCKETS as u64 == index(hash) as u64
    }

    pub(crate) const fn kind(&self) -> Kind {
        Kind::new(self.mode, self.permits)
    }

    /// Whether it may go, if it is the only one of its bucket: there are holders, and the bucket has room for all
    /// of them and for one more.
    pub(crate) fn may_rest(&self) -> bool {
        let fits = self.text.len() <= TEXT && self.free_slot(self.mode).is_some();
        let crowd = self.crowd.as_ref();
        let is_quiet = !self.is_heard()
            && crowd.is_none_or(|crowd| crowd.queue.is_empty() && crowd.labels.is_empty());
        let mut tickets = self.tickets();
        fits && is_quiet && self.first.is_some() && tickets.all(Ticket::is_of_bucket)
    }

    /// Since when its holders have had it.
    pub(crate) fn holds(&self) -> impl Iterator<Item = (Ticket, Since)> {
        self.holders()
            .map(|(ticket, holder)| (ticket, holder.since))
    }
}
