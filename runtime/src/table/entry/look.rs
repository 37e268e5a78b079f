//! A lock as it is shown: who has it and who waits, and for how long.

use super::Entry;
use crate::holder::{Holder, Shown};
use crate::key::Key;
use crate::site::{Record, Site};
use crate::state::{LockState, Waiter};
use crate::table::crowd::{self, Occupant};
use crate::table::identity::name_of;
use crate::table::moment::Moment;
use crate::table::place::{EntryId, Place, Ticket};
use crate::table::policy::Mode;
use std::sync::Arc;
use std::time::Duration;

/// A lock that somebody waits for, as it was at one moment.
pub(crate) struct Contended {
    pub(crate) space: &'static str,
    pub(crate) key: Key,
    pub(crate) permits: u32,
    pub(crate) holders: Vec<Party>,
    pub(crate) queue: Vec<Party>,
}

/// What is to be seen of a lock.
pub(crate) struct Shows<A> {
    /// Whether it is suspected to be part of a deadlock.
    pub(crate) suspected: bool,
    /// How many waiters.
    pub(crate) queue: usize,
    /// Since when a holder asks for it outside of the process, and so waits, if it does.
    pub(crate) asks: A,
}

/// A holder or a waiter, as it was at a moment.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) place: Place,
    pub(crate) record: Record,
    pub(crate) label: Option<Arc<str>>,
    /// Since when it has had the lock at least.
    held: Option<Moment>,
    /// Since when it waits.
    pub(crate) waits: Option<Moment>,
    /// Since when it could have come for the lock, and hasn't.
    pub(crate) not_come: Option<Moment>,
}

impl Party {
    /// Looks up who it is.
    pub(crate) fn show(&self, now: Moment) -> Holder {
        let until_now = |moment: Moment| moment.until(now);
        Holder::from(self.record).shown(Shown {
            label: self.label.clone(),
            held: self.held.map(until_now),
            not_polled: self.not_come.map(until_now),
        })
    }

    /// How long it has waited.
    pub(crate) fn waited(&self, now: Moment) -> Duration {
        self.waits.map_or(Duration::ZERO, |since| since.until(now))
    }
}

impl Entry {
    /// Where in the code a holder or a waiter asked for the lock.
    pub(crate) fn site_of(&self, ticket: Ticket) -> Option<Site> {
        Some(self.record_of(ticket)?.site)
    }

    /// The record of the holder or waiter with this ticket, if it is still there.
    pub(crate) fn record_of(&self, ticket: Ticket) -> Option<Record> {
        let holder = self.holder_of(ticket).map(|holder| holder.record);
        holder.or_else(|| Some(self.waiter_of(ticket)?.record))
    }

    /// The holder or waiter with this ticket, if it is still there.
    pub(crate) fn who(&self, at: Place) -> Option<Party> {
        let holder = self.holder_of(at.ticket);
        let holder = holder.map(|holder| self.holder(at, holder));
        holder.or_else(|| Some(waiter(at, self.waiter_of(at.ticket)?)))
    }

    /// The first of the holders, or the waiter that was called to take the lock, unless it is
    /// the one that asks.
    pub(crate) fn in_the_way(&self, id: EntryId, of: Option<Ticket>) -> Option<Party> {
        self.parties(id).next().or_else(|| {
            let first = self.waiters(id).next()?;
            (first.not_come.is_some() && Some(first.place.ticket) != of).then_some(first)
        })
    }

    /// All that is to be seen of a lock that somebody waits for, or `asks` for outside of the
    /// process.
    pub(crate) fn contended(
        &self,
        id: EntryId,
        asks: impl FnOnce(&[Party]) -> bool,
    ) -> Option<Contended> {
        let queue: Vec<_> = self.waiters(id).collect();
        let holders: Vec<_> = self.parties(id).collect();
        if queue.is_empty() && !asks(&holders) {
            return None;
        }
        let (space, key) = self.name();
        Some(Contended {
            space,
            key,
            permits: self.permits,
            holders,
            queue,
        })
    }

    /// The lock's name.
    pub(crate) fn name(&self) -> (&'static str, Key) {
        (name_of(self.space), self.key.clone())
    }

    /// What there is to see at a moment. From then on it is known how long the holders have had
    /// the lock at least.
    pub(crate) fn state(
        &mut self,
        id: EntryId,
        shows: &Shows<impl Fn(Ticket) -> Option<Moment>>,
        now: Moment,
    ) -> LockState {
        let (space, key) = self.name();
        let (mut asking, mut holders) = (Vec::new(), Vec::new());
        for mut party in self.parties(id) {
            party.waits = (shows.asks)(party.place.ticket);
            match party.waits {
                Some(_) => asking.push(Party {
                    held: None,
                    ..party
                }),
                None => holders.push(party.show(now)),
            }
        }
        let mut state = LockState::new(space, key, holders);
        state.waiters = asking.len() + self.queue_length();
        let asking = asking.into_iter();
        let all = self.crowd.iter().flat_map(|crowd| crowd.queue.values());
        let waited: Duration = all.map(|waiter| waiter.since.until(now)).sum();
        state.waited = waited
            + asking
                .clone()
                .map(|party| party.waited(now))
                .sum::<Duration>();
        let first = asking.chain(self.waiters(id)).take(shows.queue);
        let queue = first.map(|waiter| Waiter {
            who: waiter.show(now),
            shared: self.is_shared(waiter.place.ticket),
            waited: waiter.waited(now),
        });
        state.queue = queue.collect();
        state.longest_wait = state.queue.first().map(Waiter::waited);
        state.suspected_deadlock = shows.suspected;
        self.remember(now);
        state
    }

    /// How many wait in the queue.
    pub(crate) fn queue_length(&self) -> usize {
        self.crowd.as_ref().map_or(0, |crowd| crowd.queue.len())
    }

    /// The holders.
    fn parties(&self, id: EntryId) -> impl Iterator<Item = Party> {
        let holders = self.holders();
        holders.map(move |(ticket, holder)| self.holder(Place { entry: id, ticket }, holder))
    }

    fn waiters(&self, id: EntryId) -> impl Iterator<Item = Party> {
        let queue = self.crowd.iter().flat_map(|crowd| crowd.queue.iter());
        queue.map(move |(ticket, one)| {
            let ticket = *ticket;
            waiter(Place { entry: id, ticket }, one)
        })
    }

    fn is_shared(&self, ticket: Ticket) -> bool {
        let waiter = self.waiter_of(ticket);
        waiter.is_some_and(|waiter| waiter.mode == Mode::Shared)
    }

    /// The tickets of the holders.
    pub(crate) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.holders().map(|(ticket, _)| ticket)
    }

    fn holders(&self) -> impl Iterator<Item = (Ticket, Occupant)> {
        let others = self.crowd.iter().flat_map(|crowd| crowd.holders().iter());
        self.first
            .into_iter()
            .chain(others.map(|(ticket, holder)| (*ticket, *holder)))
    }

    fn holder_of(&self, ticket: Ticket) -> Option<Occupant> {
        let first = self.first.filter(|(first, _)| *first == ticket);
        first
            .map(|(_, holder)| holder)
            .or_else(|| self.crowd.as_ref()?.holders().get(&ticket).copied())
    }

    fn waiter_of(&self, ticket: Ticket) -> Option<&crowd::Waiter> {
        self.crowd.as_ref()?.queue.get(&ticket)
    }

    /// Remembers that the holders have had the lock since this moment at the latest.
    fn remember(&mut self, now: Moment) {
        let earliest = self.contended_since().unwrap_or(now);
        if let Some((_, first)) = &mut self.first {
            first.since.is_at_least(earliest);
        }
        if let Some(crowd) = &mut self.crowd {
            crowd.since().for_each(|since| since.is_at_least(earliest));
        }
    }

    /// Since when somebody has waited for the holders of whom nothing else is known.
    fn contended_since(&self) -> Option<Moment> {
        let crowd = self.crowd.as_ref()?;
        crowd.contended.filter(|_| !crowd.queue.is_empty())
    }

    fn holder(&self, place: Place, holder: Occupant) -> Party {
        let Occupant { record, since } = holder;
        let labels = self.crowd.as_ref().map(|crowd| &crowd.labels);
        Party {
            place,
            record,
            label: labels.and_then(|labels| labels.get(&place.ticket)).cloned(),
            held: since.moment().or_else(|| self.contended_since()),
            waits: None,
            not_come: since.not_come_since(),
        }
    }
}

fn waiter(place: Place, waiter: &crowd::Waiter) -> Party {
    Party {
        place,
        record: waiter.record,
        label: waiter.label.clone(),
        held: None,
        waits: Some(waiter.since),
        not_come: waiter.called,
    }
}
