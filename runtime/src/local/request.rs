//! One lock to be taken: which, how, and where in the code.

use crate::costs;
use crate::error::{Error, ErrorKind};
use crate::holder::Sought;
use crate::key::{Key, LockKey};
use crate::name::Taken;
use crate::observe::listen::listeners;
use crate::owner::Owner;
use crate::site::{Record, Site};
use crate::table::fast;
use crate::table::identity::{name_of, name_part};
use crate::table::looks;
use crate::table::place::Place;
use crate::table::policy::{Mode, Terms};
use crate::table::{self, Name, Newcomer, SpaceId};

/// What is to be taken, how, and where in the code.
pub(crate) struct Request {
    space: SpaceId,
    key: Key,
    /// Of the space and the key.
    hash: u64,
    pub(super) terms: Terms,
    pub(super) site: Site,
}

impl Request {
    /// Of the empty text, until there is another.
    #[inline]
    pub(super) const fn new(space: SpaceId, terms: Terms, site: Site) -> Self {
        Self {
            space,
            key: Key::empty(),
            hash: 0,
            terms,
            site,
        }
    }

    /// Sets the text. This is a call, and writes to where the request is: a function that gives a request
    /// makes it in a place of its own and then moves it, and waiting for that move takes longer.
    #[inline(never)]
    pub(super) fn set_text(&mut self, text: &str) {
        // From the caller's text: it would wait for the copy.
        self.hash = table::hash(self.space.number, text.as_bytes());
        self.key.push_str(text);
    }

    /// The same of a key that doesn't have its text in one piece.
    #[inline(never)]
    pub(super) fn write(&mut self, key: &dyn LockKey) {
        self.key.write(key);
        self.hash = table::hash(self.space.number, self.key.as_bytes());
    }

    #[expect(clippy::inline_always, reason = "else the key is moved twice")]
    #[inline(always)]
    pub(super) fn of_key(space: SpaceId, key: Key, terms: Terms, site: Site) -> Self {
        let hash = table::hash(space.number, key.as_bytes());
        Self {
            space,
            key,
            hash,
            terms,
            site,
        }
    }

    #[inline]
    pub(super) fn name(&self) -> Name<'_> {
        Name {
            hash: self.hash,
            space: self.space,
            text: self.key.as_bytes(),
        }
    }

    pub(super) fn try_now(&self, owner: Owner) -> Result<Newcomer, Error> {
        let record = Record {
            owner,
            site: self.site,
        };
        let name = self.name();
        let refused = |holder| busy(name_of(self.space.number), name, holder);
        looks::try_take(name, self.terms, record).map_err(refused)
    }

    /// The fast path, see [`table::fast::try_take_thin`].
    #[inline]
    pub(super) fn try_thin(&self, owner: Owner) -> Option<u64> {
        let name = self.name();
        if self.terms.mode == Mode::Shared || !(name.has_one_permit() && name.is_short()) {
            return self.try_thin_as(owner);
        }
        let record = Record {
            owner,
            site: self.site,
        };
        fast::try_take_thin(name, record)
    }

    /// The same of a lock that may have several holders, or a long text.
    #[cold]
    fn try_thin_as(&self, owner: Owner) -> Option<u64> {
        let record = Record {
            owner,
            site: self.site,
        };
        fast::try_take_thin_as(self.name(), self.terms.mode, record)
    }

    pub(super) fn taken(&self) -> Taken {
        Taken {
            space: name_of(self.space.number),
            key: self.key.clone(),
            site: self.site,
        }
    }
}

/// The error of who doesn't wait.
#[expect(
    clippy::inline_always,
    reason = "else what it is made of is moved twice"
)]
#[inline(always)]
pub(super) fn busy(space: &'static str, name: Name<'_>, holder: Option<Sought>) -> Error {
    if !listeners().is_none() {
        let holder = holder.as_ref().map(|holder| holder.site().into());
        costs::refused(name_part(name.space.number), holder);
    }
    Error::busy(space, name.text, holder)
}

/// The error of who has waited; `None` if it isn't in the queue any more: then it is
/// itself the holder.
pub(super) fn refused(place: Place, kind: ErrorKind) -> Option<Error> {
    let (space, key, holder) = looks::awaited_from(place)?;
    Some(Error::new(kind, space, key, holder))
}
