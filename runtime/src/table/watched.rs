//! A wait that somebody listens to.

use super::identity::{name_of, name_part};
use super::moment::Moment;
use super::party::Party;
use super::place::Place;
use super::policy::Mode;
use crate::holder::Holder;
use crate::key::Key;
use crate::observe::listen::Listeners;
use smallvec::SmallVec;
use std::fmt;
use std::sync::OnceLock;

/// Somebody who has joined a queue.
pub(crate) struct Queued {
    pub(crate) place: Place,
    /// Whether somebody listens to the wait.
    pub(crate) heard: Option<Heard>,
    /// What those want to know who want to know more than how long it is, if there are some.
    pub(crate) watched: Option<Box<Watched>>,
}

/// A wait to which somebody listens.
pub(crate) struct Heard {
    /// The number of the space's name.
    pub(crate) space: u64,
    pub(crate) since: Moment,
}

/// What is remembered of a wait from its begin to its end. Names are looked up when somebody asks
/// for them.
pub(crate) struct Watched {
    pub(crate) listeners: Listeners,
    /// The number of the space's name.
    pub(crate) space: u64,
    pub(crate) key: Key,
    pub(crate) mode: Mode,
    pub(crate) since: Moment,
    /// Whether it was told while it lasted.
    pub(crate) was_long: bool,
    /// From its begin to its end.
    #[cfg(feature = "tracing")]
    pub(crate) span: tracing::Span,
    pub(crate) details: Details,
}

/// Who waits, and behind whom.
pub(crate) struct Details {
    pub(crate) waiter: Party,
    /// How many waiters were before it.
    pub(crate) ahead: usize,
    /// Nearly always there is one.
    pub(crate) behind: SmallVec<[Party; 1]>,
    who: OnceLock<Holder>,
    holders: OnceLock<Vec<Holder>>,
}

impl Watched {
    /// A wait that has begun in a space of this number, or still lasts.
    #[inline]
    pub(crate) fn new(
        listeners: Listeners,
        (space, key): (u64, Key),
        mode: Mode,
        since: Moment,
        details: Details,
    ) -> Self {
        Self {
            listeners,
            space: name_part(space),
            key,
            mode,
            since,
            was_long: false,
            #[cfg(feature = "tracing")]
            span: tracing::Span::none(),
            details,
        }
    }

    pub(crate) fn space(&self) -> &'static str {
        name_of(self.space)
    }
}

impl Details {
    /// Of whom it isn't said yet whom it waits for.
    #[inline]
    pub(crate) fn new(waiter: Party, ahead: usize) -> Self {
        Self {
            waiter,
            ahead,
            behind: SmallVec::new(),
            who: OnceLock::new(),
            holders: OnceLock::new(),
        }
    }

    /// Of who waits behind another process, or behind nobody that is known.
    pub(crate) fn outside(waiter: Party, holder: Option<Holder>) -> Self {
        let details = Self::new(waiter, 0);
        details.holders.get_or_init(|| Vec::from_iter(holder));
        details
    }

    pub(crate) fn who(&self) -> &Holder {
        self.who.get_or_init(|| self.waiter.show(Moment::now()))
    }

    /// Those who were in the way when it was looked, or some of them.
    pub(crate) fn holders(&self) -> &[Holder] {
        self.holders.get_or_init(|| {
            let now = Moment::now();
            self.behind.iter().map(|party| party.show(now)).collect()
        })
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
