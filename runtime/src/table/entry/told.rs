//! What those are told who listen to each hold of a lock, see [`exact`](crate::table::exact).

use super::Entry;
use crate::table::ears::Ears;
use crate::table::exact::{Listener, Told};
use crate::table::moment::Moment;
use crate::table::occupant::Occupant;
use crate::table::place::Ticket;

impl Entry {
    /// The lock of a bucket to which somebody listens. It has one hold, which begins now.
    #[cold]
    pub(crate) fn begin_as_heard_by(&mut self, ears: Ears) {
        self.ears = ears;
        if let Some((ticket, first)) = &mut self.first {
            first.since.is_at_least(Moment::of_hold());
            let (ticket, first) = (*ticket, *first);
            self.tell_acquired(ticket, first);
        }
    }

    /// Somebody listens from now on.
    pub(crate) fn begin_to_tell(&mut self, ears: Ears, now: Moment) {
        self.ears = self.ears.and(ears);
        self.remember(now);
        self.tell_of_all(ears, |listener, hold| listener.acquired(hold));
    }

    /// Somebody listens no more.
    pub(crate) fn end_to_tell(&mut self, ears: Ears, now: Moment) {
        self.ears = self.ears.without(ears);
        self.tell_of_all(ears, |listener, hold| listener.lasts(hold, now));
    }

    fn tell_of_all(&self, ears: Ears, tell: impl Fn(&dyn Listener, &Told<'_>)) {
        for (ticket, holder) in self.holders() {
            self.tell(ears, ticket, holder, &tell);
        }
    }

    fn tell(
        &self,
        ears: Ears,
        ticket: Ticket,
        Occupant { record, since }: Occupant,
        tell: impl Fn(&dyn Listener, &Told<'_>),
    ) {
        let hold = Told {
            id: (self.number, ticket),
            space: self.space,
            text: &self.text,
            mode: self.mode,
            record,
            since: since.moment().unwrap_or_else(Moment::of_hold),
        };
        ears.tell(|listener| tell(listener, &hold));
    }

    #[inline]
    pub(super) const fn is_heard(&self) -> bool {
        !self.ears.is_none()
    }

    /// A hold begins.
    #[cold]
    pub(super) fn tell_acquired(&self, ticket: Ticket, holder: Occupant) {
        self.tell(self.ears, ticket, holder, |listener, hold| {
            listener.acquired(hold);
        });
    }

    /// A hold ends.
    #[cold]
    pub(super) fn tell_released(&self, ticket: Ticket, holder: Occupant, now: Option<Moment>) {
        let now = now.unwrap_or_else(Moment::of_hold);
        self.tell(self.ears, ticket, holder, |listener, hold| {
            listener.released(hold, now);
        });
    }

    /// A hold's owner isn't known any more.
    #[cold]
    pub(super) fn tell_disowned(&self, ticket: Ticket) {
        if let Some(holder) = self.holder_of(ticket) {
            self.tell(self.ears, ticket, holder, |listener, hold| {
                listener.disowned(hold);
            });
        }
    }
}
