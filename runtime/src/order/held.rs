//! What each thread and task holds, as far as it is told of, and which classes of locks are taken after
//! which.
//!
//! It is told of each hold by [`exact`](crate::table::exact) mode, of all locks or of those alone that
//! somebody has waited for. It keeps one for as long as it lasts, so there is no more of them than of locks
//! that are held.

use super::classes::{Added, Classes, Nesting};
use super::found::{LockOrder, Step};
use crate::key::Key;
use crate::ordered::{OrderedMap, SortedVec};
use crate::owner::Owner;
use crate::site::Site;
use crate::sync::ambient::Mutex;
use crate::table::exact::{Listener, Told};
use crate::table::hash::hash;
use crate::table::identity::{class_of, name_part};
use crate::table::moment::Moment;
use crate::table::place::Ticket;
use crate::table::policy::Class;

/// Locked with the mutex of a shard locked, so nothing else is locked with it.
pub(super) static ORDER: Mutex<Order> = Mutex::new(Order {
    held: OrderedMap::new(),
    classes: Classes::new(),
});

pub(super) struct Order {
    /// By owner and class. One of no locks isn't there.
    held: OrderedMap<(Owner, u64), OfClass>,
    classes: Classes<Step>,
}

/// The holds of one owner in one class, in the order of their keys, which can be of any length and so have no
/// rank of an [`OrderedMap`]'s. Each one moves those after it: of one who takes a hundred thousand locks of one
/// class in no order that is some megabytes for each, with the shard's mutex locked.
type OfClass = SortedVec<(Key, Id), Holding>;

/// What no other hold has, see [`Told::id`].
type Id = (u64, Ticket);

/// A hold.
#[derive(Clone, Copy, Debug)]
struct Holding {
    /// The number of the space.
    space: u64,
    site: Site,
}

/// A lock that is held while another one is asked for, which is new.
pub(super) struct New {
    pub(super) nesting: Nesting,
    /// The number of the space.
    pub(super) space: u64,
    pub(super) key: Key,
    pub(super) site: Site,
}

impl Order {
    /// What an owner holds that isn't known to be taken before locks of the class in which it asks for a
    /// key; nothing, if it has that very lock.
    pub(super) fn new_nestings(&self, owner: Owner, asked: u64, key: &Key) -> Vec<New> {
        let mut found = Vec::new();
        for ((_, held), locks) in self.held.range((owner, 0)..=(owner, u64::MAX)) {
            let nesting = Nesting { held: *held, asked };
            let hold = if nesting.held == asked {
                let from = (key.clone(), (0, Ticket::FIRST));
                let next = locks.next_from(&from);
                if next.is_some_and(|((one, _), _)| one == key) {
                    return Vec::new();
                }
                // The last one is the most against the order.
                locks.last().filter(|((last, _), _)| is_against(last, key))
            } else {
                locks.first()
            };
            let Some(((key, _), Holding { space, site })) = hold else {
                continue;
            };
            if !self.classes.knows(nesting) {
                let (key, space, site) = (key.clone(), *space, *site);
                found.push(New {
                    nesting,
                    space,
                    key,
                    site,
                });
            }
        }
        found
    }

    pub(super) fn knows(&self, nesting: Nesting) -> bool {
        self.classes.knows(nesting)
    }

    /// Adds what is new. Gives the cycle that it closes; an error if there is no room.
    pub(super) fn learn(
        &mut self,
        nesting: Nesting,
        step: Step,
    ) -> Result<Option<LockOrder>, Full> {
        match self.classes.add(nesting, step) {
            Added::InOrder => Ok(None),
            Added::Cycle(cycle) => {
                let steps = cycle
                    .into_iter()
                    .filter_map(|nesting| self.classes.edge(nesting));
                Ok(Some(LockOrder(steps.cloned().collect())))
            }
            Added::Full => Err(Full),
        }
    }

    fn remove(&mut self, hold: &Told<'_>) {
        let key = hold.key();
        let Some(class) = class(hold.space, &key) else {
            return;
        };
        let of = (hold.record.owner, class);
        let Some(locks) = self.held.get_mut(&of) else {
            return;
        };
        locks.remove(&(key, hold.id));
        if locks.is_empty() {
            self.held.remove(&of);
        }
    }
}

/// There is no room.
pub(super) struct Full;

/// The number of a lock's class, if it is of one. That of a key is its hash, which has more bits
/// than there are classes to be taken for one another.
pub(super) fn class(space: u64, key: &Key) -> Option<u64> {
    match class_of(space) {
        Class::Space => Some(space),
        Class::Name => Some((Class::Name as u64) << 60 | name_part(space)),
        Class::Key => Some(hash(space, key.as_bytes())),
        Class::None => None,
    }
}

/// Whether a key that is asked for comes before one that is held. Spaces of lock files take
/// several in the order of their names in lower case, and all others as they are.
pub(super) fn is_against(held: &Key, asked: &Key) -> bool {
    held > asked && held.as_str().to_lowercase() > asked.as_str().to_lowercase()
}

/// Who is told of each hold.
pub(crate) struct Holds;

impl Listener for Holds {
    fn acquired(&self, hold: &Told<'_>) {
        let (owner, key) = (hold.record.owner, hold.key());
        let class = class(hold.space, &key).filter(|_| owner != Owner::UNKNOWN);
        let Some(class) = class else {
            return;
        };
        let holding = Holding {
            space: hold.space,
            site: hold.record.site,
        };
        let mut order = ORDER.lock();
        let locks = order.held.get_or_default((owner, class));
        locks.get_or_insert((key, hold.id), holding);
    }

    fn released(&self, hold: &Told<'_>, _at: Moment) {
        ORDER.lock().remove(hold);
    }

    fn disowned(&self, hold: &Told<'_>) {
        ORDER.lock().remove(hold);
    }

    fn lasts(&self, hold: &Told<'_>, _at: Moment) {
        ORDER.lock().remove(hold);
    }
}
