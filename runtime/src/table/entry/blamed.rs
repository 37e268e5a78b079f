//! Whom the waits for a lock are blamed on, see [`blame`](crate::table::blame).
//!
//! The clocks are set whenever the holders change, or the first waiter does, and somebody waits. Of a lock that is
//! [ajar](crate::table::ajar) they are set when that ends, before those are holders who have it then.

use super::Entry;
use crate::arrivals::Arrivals;
use crate::costs::Bill;
use crate::observe::outcome::Outcome;
use crate::site::{Record, Site};
use crate::table::blame::{Blame, Mark};
use crate::table::crowd::Waiter;
use crate::table::moment::Moment;
use crate::table::occupant::Occupant;
use crate::table::place::Ticket;
use crate::table::policy::Mode;
use crate::timeline::rows::Span;

impl Entry {
    /// Blames what has gone by until now on those who have the lock, if anybody listens to those
    /// who wait; then it says what the clock shows. To be called before the holders change, or
    /// the first waiter does.
    #[inline]
    pub(crate) fn blame_until_now(&mut self) -> Option<Moment> {
        if self.is_blamed() {
            self.set_blame()
        } else {
            None
        }
    }

    /// Whether anybody has listened to a wait for it.
    #[inline]
    pub(crate) fn is_blamed(&self) -> bool {
        matches!(&self.crowd, Some(crowd) if crowd.blame.is_some())
    }

    #[inline(never)]
    fn set_blame(&mut self) -> Option<Moment> {
        let crowd = self.crowd.as_mut()?;
        let blame = crowd.blame.as_mut()?;
        if crowd.queue.is_empty() {
            return None;
        }
        let now = Moment::now();
        blame.set(now, || called(&crowd.queue));
        Some(now)
    }

    /// The same for who is about to join the queue, from which on it is blamed on somebody.
    pub(super) fn blame_from(&mut self, now: Moment) -> &mut Blame {
        if !self.is_blamed() {
            let blame = Blame::new(now, self.sites_of_holders());
            self.crowd().blame = Some(blame);
        }
        let crowd = self.crowd();
        let blame = crowd.blame.as_mut().expect("there is one by now");
        blame.set(now, || called(&crowd.queue));
        blame
    }

    /// Whom waits for it are blamed on, if anybody has listened to one.
    #[inline]
    fn blame(&mut self) -> Option<&mut Blame> {
        self.crowd.as_mut()?.blame.as_deref_mut()
    }

    /// There is another holder.
    #[inline(never)]
    pub(super) fn blame_also(&mut self, holder: Occupant) {
        if let Some(blame) = self.blame() {
            blame.enter(holder.record.site);
        }
    }

    /// A holder has gone, of whom it is noted what it had if somebody waits.
    #[inline(never)]
    pub(super) fn blame_no_more(&mut self, holder: Option<Occupant>, now: Option<Moment>) {
        let mode = self.mode;
        if let (Some(blame), Some(holder)) = (self.blame(), holder) {
            let Occupant { record, since } = holder;
            blame.leave(record.site);
            if let (Some(from), Some(to)) = (since.moment(), now) {
                blame.note_hold(record, mode, Span { from, to });
            }
        }
    }

    /// Blames the waits so far, of those who still wait, on those who have had the lock.
    pub(crate) fn charge_until_now(&mut self) {
        self.blame_until_now();
        if let Some(crowd) = &mut self.crowd {
            crowd.charge();
        }
    }

    /// What is to be written down, with the key's text.
    #[inline]
    pub(crate) fn bill(&mut self) -> Option<(&[u8], &mut Bill)> {
        let blame = self.crowd.as_mut()?.blame.as_mut()?;
        Some((&self.text, blame.bill()))
    }

    fn sites_of_holders(&self) -> impl Iterator<Item = Site> {
        self.holders().map(|(_, holder)| holder.record.site)
    }

    /// A waiter that the lock was handed to has come, or gives it up. Until then it has waited for
    /// nobody but itself.
    #[inline(never)]
    pub(super) fn end_hand_over(
        &mut self,
        ticket: Ticket,
        heard: Option<Moment>,
        outcome: Outcome,
    ) -> Option<Moment> {
        if !self.is_blamed() {
            return None;
        }
        let Occupant { record, since } = *self.occupant(ticket)?;
        let since = since.not_come_since()?;
        let (now, mode) = (Moment::now(), self.mode);
        let blame = self.blame()?;
        blame.charge_hand_over(since, now, record.site);
        blame.note_hand_over(since, now);
        if let Some(from) = heard {
            let span = Span { from, to: now };
            blame.note_wait(record, mode, span, outcome);
        }
        Some(now)
    }

    /// Says how long it took a waiter to come.
    pub(super) fn note_hand_over(&mut self, since: Moment, now: Moment) {
        if let Some(blame) = self.blame() {
            blame.note_hand_over(since, now);
        }
    }

    /// Notes that a wait has ended to which somebody has listened since it began.
    #[inline(never)]
    pub(super) fn note_wait(
        &mut self,
        heard: Moment,
        now: Option<Moment>,
        (record, mode): (Record, Mode),
        outcome: Outcome,
    ) {
        if let (Some(blame), Some(to)) = (self.blame(), now) {
            blame.note_wait(record, mode, Span { from: heard, to }, outcome);
        }
    }

    /// Blames the wait of who has left the queue on those who have had the lock.
    #[inline]
    pub(super) fn end_wait(&mut self, waiter: &Waiter, now: Option<Moment>) {
        if let (Some(_), Some(mark)) = (now, &waiter.mark) {
            self.charge(mark, waiter.record.site);
        }
    }

    #[inline(never)]
    fn charge(&mut self, mark: &Mark, waiter: Site) {
        if let Some(blame) = self.blame() {
            blame.charge(mark, waiter, true);
        }
    }
}

/// Where that waiter waits who is to come for the lock while nobody has it.
fn called(queue: &Arrivals<Ticket, Waiter>) -> Option<Site> {
    let (_, first) = queue.first()?;
    Some(first.record.site)
}
