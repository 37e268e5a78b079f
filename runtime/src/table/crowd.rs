//! The second holder of a lock and those after it, and the queue.
//!
//! A search for a deadlock asks which of the holders wait themselves. With few holders each
//! of them is looked at. With many that would make every waiter pay for all of them, so from
//! the first such question on they are kept by owner as well, with the `suspects`: those who
//! may be waiting. The others are not, unless they began to after the last question, and the
//! graph keeps its waits in the order in which they began. So a question costs what has
//! happened since the last one, and the number of holders who do wait.

use super::blame::{Blame, Mark};
use super::moment::{Moment, Since, Times};
use super::occupant::Occupant;
use super::place::Ticket;
use super::policy::Mode;
use super::waits::{Waits, count_step};
use crate::arrivals::Arrivals;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::owner::Owner;
use crate::site::Record;
use std::sync::Arc;
use std::task::Waker;

/// So many holders are looked at one by one. In a model few are many.
const FEW: usize = if cfg!(all(test, loom)) { 0 } else { 8 };

#[derive(Default)]
pub(crate) struct Crowd {
    holders: OrderedMap<Ticket, Occupant>,
    pub(crate) queue: Arrivals<Ticket, Waiter>,
    /// Since when there has always been somebody in the queue. What holder has no moment of its
    /// own has been there at least as long: who comes later gets one.
    pub(crate) contended: Option<Moment>,
    /// What the holders are called that have waited in a [named](crate::named()) task.
    pub(crate) labels: OrderedMap<Ticket, Arc<str>>,
    owners: Option<Box<Owners>>,
    /// From the first waiter on whom somebody listens to.
    pub(crate) blame: Option<Box<Blame>>,
}

/// A thread or a task in the queue.
pub(crate) struct Waiter {
    pub(crate) mode: Mode,
    /// What it is written down as when it has the lock.
    pub(crate) record: Record,
    /// `None` once it has been called, until the waiter tries again, or its task does so elsewhere.
    pub(crate) waker: Option<Waker>,
    pub(crate) times: Times,
    /// When it was called, until it tries again.
    pub(crate) called: Option<Moment>,
    /// What its task is called.
    pub(crate) label: Option<Arc<str>>,
    /// From when on its wait hasn't been blamed on anybody, if it is to be.
    pub(crate) mark: Option<Mark>,
}

/// Who the holders are.
struct Owners {
    /// The holds of each.
    holds: OrderedMap<Owner, OrderedSet<Ticket>>,
    /// Those who may be waiting, or began to after `looked`.
    suspects: OrderedSet<Owner>,
    /// What [`Waits::begun`] was when they were looked at.
    looked: u64,
}

/// A holder that waits for some lock.
pub(crate) struct WaitingHolder {
    /// One of its holds.
    pub(crate) ticket: Ticket,
    pub(crate) record: Record,
    /// How many it has.
    pub(crate) holds: usize,
}

impl Crowd {
    pub(crate) const fn holders(&self) -> &OrderedMap<Ticket, Occupant> {
        &self.holders
    }

    pub(crate) fn holder_mut(&mut self, ticket: Ticket) -> Option<&mut Occupant> {
        self.holders.get_mut(&ticket)
    }

    /// What is known of when the holds began.
    pub(crate) fn since(&mut self) -> impl Iterator<Item = &mut Since> {
        self.holders.values_mut().map(|holder| &mut holder.since)
    }

    pub(crate) fn insert(&mut self, ticket: Ticket, occupant: Occupant) {
        self.holders.insert(ticket, occupant);
        if let Some(owners) = &mut self.owners {
            owners.insert(ticket, occupant.record.owner);
        }
    }

    pub(crate) fn remove(&mut self, ticket: Ticket) -> Option<Occupant> {
        let occupant = self.holders.remove(&ticket)?;
        if let Some(owners) = &mut self.owners {
            owners.remove(ticket, occupant.record.owner);
        }
        Some(occupant)
    }

    pub(crate) fn pop_first(&mut self) -> Option<(Ticket, Occupant)> {
        let (ticket, _) = self.holders.first_key_value()?;
        let ticket = *ticket;
        Some((ticket, self.remove(ticket)?))
    }

    pub(crate) fn get_mut(&mut self, ticket: Ticket) -> Option<&mut Occupant> {
        self.holders.get_mut(&ticket)
    }

    /// Charges for the waits in the queue so far.
    pub(crate) fn charge(&mut self) {
        let Some(blame) = &mut self.blame else {
            return;
        };
        for waiter in self.queue.values_mut() {
            if let Some(mark) = &mut waiter.mark {
                blame.charge(mark, waiter.record.site, false);
                *mark = blame.mark();
            }
        }
    }

    pub(crate) fn set_owner(&mut self, ticket: Ticket, owner: Owner) {
        if let Some(mut occupant) = self.remove(ticket) {
            occupant.record.owner = owner;
            self.insert(ticket, occupant);
        }
    }

    /// A hold that isn't a thread's. Threads come first in the order of owners.
    pub(crate) fn find_task(&mut self) -> Option<(Ticket, Record)> {
        let found = if let Some(owners) = self.owners() {
            let (_, tickets) = owners.holds.range(Owner::UNKNOWN..).next()?;
            *tickets.keys().next()?
        } else {
            let mut holders = self.holders.iter();
            *holders
                .find(|(_, holder)| !holder.record.owner.is_thread())?
                .0
        };
        Some((found, self.holders[&found].record))
    }

    /// Whether one of the holds is a thread's.
    pub(crate) fn has_thread(&mut self) -> bool {
        match self.owners() {
            Some(owners) => {
                let first = owners.holds.first_key_value();
                first.is_some_and(|(first, _)| first.is_thread())
            }
            None => self.owners_of_few().any(Owner::is_thread),
        }
    }

    pub(crate) fn is_held_by(&mut self, owner: Owner) -> bool {
        match self.owners() {
            Some(owners) => owners.holds.contains_key(&owner),
            None => self.owners_of_few().any(|one| one == owner),
        }
    }

    fn owners_of_few(&self) -> impl Iterator<Item = Owner> {
        self.holders.values().map(|holder| holder.record.owner)
    }

    /// The holders who wait for some lock.
    pub(crate) fn waiting(&mut self, waits: &Waits) -> Vec<WaitingHolder> {
        let Some(owners) = self.owners() else {
            let holder = |(ticket, holder): (&Ticket, &Occupant)| WaitingHolder {
                ticket: *ticket,
                record: holder.record,
                holds: 1,
            };
            let holders = self.holders.iter().inspect(|_| count_step());
            let waiting = holders.filter(|(_, holder)| waits.is_waiting(holder.record.owner));
            return waiting.map(holder).collect();
        };
        let holders = owners.waiting(waits);
        holders
            .into_iter()
            .map(|(ticket, holds)| WaitingHolder {
                ticket,
                record: self.holders[&ticket].record,
                holds,
            })
            .collect()
    }

    /// The holders by owner, where there are many.
    fn owners(&mut self) -> Option<&mut Owners> {
        if self.owners.is_none() && self.holders.len() > FEW {
            let mut owners = Box::new(Owners {
                holds: OrderedMap::new(),
                suspects: OrderedSet::new(),
                looked: 0,
            });
            for (ticket, holder) in &self.holders {
                owners.insert(*ticket, holder.record.owner);
            }
            self.owners = Some(owners);
        }
        self.owners.as_deref_mut()
    }
}

impl Owners {
    fn insert(&mut self, ticket: Ticket, owner: Owner) {
        self.holds.get_or_default(owner).add(ticket);
        // A task may be waiting already, in another of its branches.
        self.suspects.add(owner);
    }

    fn remove(&mut self, ticket: Ticket, owner: Owner) {
        if let Some(holds) = self.holds.get_mut(&owner) {
            holds.remove(&ticket);
            if holds.is_empty() {
                self.holds.remove(&owner);
                self.suspects.remove(&owner);
            }
        }
    }

    /// One hold of each owner that waits, and how many that owner has.
    fn waiting(&mut self, waits: &Waits) -> Vec<(Ticket, usize)> {
        let Self {
            holds,
            suspects,
            looked,
        } = self;
        let began = waits.begun_since(*looked).inspect(|_| count_step());
        suspects.extend(began.filter(|owner| holds.contains_key(owner)));
        *looked = waits.begun();
        suspects.retain(|owner, ()| {
            count_step();
            waits.is_waiting(*owner)
        });
        let hold = |owner| {
            let tickets: &OrderedSet<Ticket> = holds.get(owner)?;
            Some((*tickets.keys().next()?, tickets.len()))
        };
        suspects.keys().filter_map(hold).collect()
    }
}
