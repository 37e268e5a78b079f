//! A lock as it is shown: who has it and who waits, and for how long.

use super::Entry;
use crate::arrivals::Arrivals;
use crate::key::Key;
#[cfg(feature = "usdt")]
use crate::name::Taken;
use crate::observe::listen::Listeners;
#[cfg(feature = "usdt")]
use crate::observe::probes;
use crate::ordered::OrderedMap;
use crate::site::{Record, Site};
use crate::state::{LockState, QUEUE, Waiter};
use crate::table::crowd;
use crate::table::identity::name_of;
use crate::table::moment::{Moment, Since, Times};
use crate::table::occupant::Occupant;
use crate::table::party::Party;
use crate::table::place::{EntryId, Place, Ticket};
use crate::table::policy::Mode;
use crate::table::watched::{Details, Watched};
use std::iter;
use std::time::Duration;

/// A lock that somebody waits for, as it was at one moment.
pub(crate) struct Contended {
    pub(crate) space: &'static str,
    pub(crate) key: Key,
    pub(crate) permits: u32,
    pub(crate) holders: Vec<Party>,
    pub(crate) queue: Vec<Party>,
}

/// A hold or a wait.
pub(crate) struct GoingOn {
    pub(crate) record: Record,
    pub(crate) mode: Mode,
    pub(crate) since: Moment,
    pub(crate) is_hold: bool,
}

/// What is to be seen of a lock.
pub(crate) struct Shows<'a> {
    /// Whether it is suspected to be part of a deadlock.
    pub(crate) suspected: bool,
    /// How many waiters.
    pub(crate) queue: usize,
    /// Since when a holder asks for it outside of the process, and so waits, if it does.
    pub(crate) asks: &'a dyn Fn(Ticket) -> Option<Times>,
}

/// A hold, with the least that is known of when it began.
pub(crate) struct Held {
    /// The number of the space.
    pub(crate) space: u64,
    pub(crate) key: Key,
    pub(crate) party: Party,
    pub(crate) since: Moment,
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
    #[inline]
    pub(crate) fn in_the_way(&self, id: EntryId, of: Option<Ticket>) -> Option<Party> {
        let first = self
            .first
            .map(|(ticket, first)| self.holder(Place { entry: id, ticket }, first));
        first.or_else(|| {
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

    /// What those want to know who listen to a wait that has begun, or still lasts; `None` of one
    /// that is over, and where they want to know no more than how long it is.
    pub(crate) fn watch(
        &self,
        at: Place,
        ahead: usize,
        listeners: Listeners,
    ) -> Option<Box<Watched>> {
        if !listeners.want_details() {
            return None;
        }
        let (party, mode, since) = match self.waiter_of(at.ticket) {
            Some(one) => (waiter(at, one), one.mode, one.times.since),
            None => (self.who(at)?, self.mode, Moment::now()),
        };
        // In its box from the beginning, since it is large: so it is copied into but once.
        let mut watched = Box::new(Watched::new(
            listeners,
            (self.space, Key::empty()),
            mode,
            since,
            Details::new(party, ahead),
        ));
        watched.key.set_utf8(&self.text);
        let behind = &mut watched.details.behind;
        if self.holder_count() > 1 {
            behind.extend(self.parties(at.entry).take(QUEUE));
        } else if let Some(party) = self.in_the_way(at.entry, Some(at.ticket)) {
            behind.push(party);
        }
        Some(watched)
    }

    /// How long the first in the queue has waited.
    pub(crate) fn oldest_wait(&self, now: Moment) -> Option<Duration> {
        let (_, first) = self.queue().first()?;
        Some(first.times.waited(now))
    }

    /// Whether this waiter is still in the queue.
    pub(crate) fn is_queued(&self, ticket: Ticket) -> Option<()> {
        self.waiter_of(ticket).map(|_| ())
    }

    /// The waiters that could have had the lock for so long, and haven't come.
    pub(crate) fn absent(
        &self,
        id: EntryId,
        now: Moment,
        over: Duration,
    ) -> Vec<(Place, Duration)> {
        let mut absent = Vec::new();
        let mut add = |ticket, since: Option<Moment>| {
            let time = since.map(|since| since.until(now));
            if let Some(time) = time.filter(|time| *time >= over) {
                absent.push((Place { entry: id, ticket }, time));
            }
        };
        for (ticket, holder) in self.holders() {
            add(ticket, holder.since.not_come_since());
        }
        if let Some((ticket, waiter)) = self.queue().first() {
            add(*ticket, waiter.called);
        }
        absent
    }

    /// Those who have had the lock for so long at least. From now on it is known of all of them.
    pub(crate) fn held(&mut self, id: EntryId, now: Moment, over: Duration, found: &mut Vec<Held>) {
        self.remember(now);
        for party in self.parties(id) {
            if let Some(since) = party.held.filter(|since| since.until(now) >= over) {
                let (space, key) = (self.space, self.key());
                found.push(Held {
                    space,
                    key,
                    party,
                    since,
                });
            }
        }
    }

    /// Tells a tracer that a holder is about to release the lock, if somebody waits for it.
    #[cfg(feature = "usdt")]
    pub(crate) fn tell_of_release(&self, ticket: Ticket) {
        let waiters = self.queue_length();
        if waiters == 0 {
            return;
        }
        probes::release(waiters, || {
            let ((space, key), site) = (self.name(), self.site_of(ticket)?);
            Some(Taken { space, key, site })
        });
    }

    /// The lock's name.
    pub(crate) fn name(&self) -> (&'static str, Key) {
        (name_of(self.space), self.key())
    }

    /// What there is to see at a moment. From then on it is known how long the holders have had
    /// the lock at least.
    pub(crate) fn state(&mut self, id: EntryId, shows: &Shows<'_>, now: Moment) -> LockState {
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
        for (_, waiter) in self.queue().iter() {
            state.waited += waiter.times.waited(now);
        }
        for party in &asking {
            state.waited += party.waited(now);
        }
        asking.truncate(shows.queue);
        asking.extend(self.waiters(id).take(shows.queue - asking.len()));
        let queue = asking.iter().map(|waiter| Waiter {
            who: waiter.show(now),
            shared: self.is_shared(waiter.place.ticket),
            waited: waiter.waited(now),
            left: waiter.left(now),
        });
        state.queue = queue.collect();
        state.longest_wait = state.queue.first().map(Waiter::waited);
        state.suspected_deadlock = shows.suspected;
        self.remember(now);
        state
    }

    /// The holders of a lock that somebody waits for, and those who do.
    pub(crate) fn going_on(&self, note: &mut dyn FnMut(GoingOn)) {
        for (_, Occupant { record, since }) in self.holders() {
            if let Some(since) = since.moment().or_else(|| self.contended_since()) {
                let (mode, is_hold) = (self.mode, true);
                note(GoingOn {
                    record,
                    mode,
                    since,
                    is_hold,
                });
            }
        }
        for (_, waiter) in self.queue().iter() {
            note(GoingOn {
                record: waiter.record,
                mode: waiter.mode,
                since: waiter.times.since,
                is_hold: false,
            });
        }
    }

    /// How many wait in the queue.
    pub(crate) fn queue_length(&self) -> usize {
        self.queue().len()
    }

    /// The holders.
    pub(crate) fn parties(&self, id: EntryId) -> impl Iterator<Item = Party> {
        let holders = self.holders();
        holders.map(move |(ticket, holder)| self.holder(Place { entry: id, ticket }, holder))
    }

    fn waiters(&self, id: EntryId) -> impl Iterator<Item = Party> {
        self.queue().iter().map(move |(ticket, one)| {
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

    pub(super) fn holders(&self) -> impl Iterator<Item = (Ticket, Occupant)> {
        let (mut first, mut others) = (self.first, self.others().iter());
        iter::from_fn(move || {
            let other = || others.next().map(|(ticket, holder)| (*ticket, *holder));
            first.take().or_else(other)
        })
    }

    pub(super) fn holder_of(&self, ticket: Ticket) -> Option<Occupant> {
        let first = self.first.filter(|(first, _)| *first == ticket);
        first
            .map(|(_, holder)| holder)
            .or_else(|| self.others().get(&ticket).copied())
    }

    fn waiter_of(&self, ticket: Ticket) -> Option<&crowd::Waiter> {
        self.queue().get(&ticket)
    }

    /// Those who wait.
    pub(super) fn queue(&self) -> &Arrivals<Ticket, crowd::Waiter> {
        const NONE: &Arrivals<Ticket, crowd::Waiter> = &Arrivals::new();
        self.crowd.as_ref().map_or(NONE, |crowd| &crowd.queue)
    }

    /// The holders but for the first.
    fn others(&self) -> &OrderedMap<Ticket, Occupant> {
        const NONE: &OrderedMap<Ticket, Occupant> = &OrderedMap::new();
        self.crowd.as_ref().map_or(NONE, |crowd| crowd.holders())
    }

    /// Remembers that the holders have had the lock since this moment at the latest.
    pub(super) fn remember(&mut self, now: Moment) {
        let earliest = self.contended_since().unwrap_or(now);
        if let Some((_, first)) = &mut self.first {
            first.since.is_at_least(earliest);
        }
        if let Some(crowd) = &mut self.crowd {
            crowd.since().for_each(|since| since.is_at_least(earliest));
        }
    }

    /// A hold, which was one of the line for a lock, begins now to be one of the lock.
    pub(crate) fn begin_hold(&mut self, ticket: Ticket, now: Moment) {
        let first = self.first.as_mut().filter(|(first, _)| *first == ticket);
        let holder = match first {
            Some((_, first)) => Some(first),
            None => self
                .crowd
                .as_mut()
                .and_then(|crowd| crowd.holder_mut(ticket)),
        };
        if let Some(holder) = holder {
            holder.since = Since::at(now);
        }
    }

    /// Since when somebody has waited for the holders of whom nothing else is known.
    fn contended_since(&self) -> Option<Moment> {
        let crowd = self.crowd.as_ref()?;
        crowd.contended.filter(|_| !crowd.queue.is_empty())
    }

    #[inline]
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
        waits: Some(waiter.times),
        not_come: waiter.called,
    }
}
