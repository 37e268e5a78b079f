//! What was found: cycles, and tasks that keep a thread from a lock.
//!
//! A [`Step`] is one wait and the hold that is in its way, a [`Cycle`] several that lead back to
//! the first. They name locks and holds by number, as the table does. Here it is seen whether
//! what they say is still so, and they become what users read.

use crate::deadlock::{Deadlock, Edge};
use crate::holder::Holder;
use crate::table;
use crate::table::identity::name_of;
use crate::table::looks;
use crate::table::place::Place;
use crate::table::waits::{Cycle, Step};

/// What a thread waits for, if a task keeps it from it.
pub(super) fn find_block(wait: Place) -> Option<Step> {
    table::look(wait.entry, |entry| {
        let (ticket, holder) = entry.task_in_the_way(wait.ticket)?;
        Some(Step {
            wait,
            hold: Place { ticket, ..wait },
            waiter: entry.record_of(wait.ticket)?,
            space: entry.space,
            key: entry.key(),
            holder,
        })
    })?
}

impl Step {
    fn describe(&self) -> Edge {
        // Who has moved on by now is shown as it was.
        let who = |place, record| looks::who(place).unwrap_or_else(|| Holder::from(record));
        Edge {
            waiter: who(self.wait, self.waiter),
            space: name_of(self.space).into(),
            key: self.key.clone(),
            holder: who(self.hold, self.holder),
        }
    }

    pub(super) fn describe_block(&self) -> Deadlock {
        Deadlock::block(self.describe())
    }

    /// Whether what is waited for is still there, and still theirs.
    pub(super) fn lasts(&self) -> bool {
        let holder = table::look(self.hold.entry, |entry| entry.record_of(self.hold.ticket));
        holder.flatten() == Some(self.holder)
    }
}

impl Cycle {
    pub(super) fn describe(&self) -> Deadlock {
        Deadlock::new(self.edges())
    }

    /// The waits, as users read them.
    pub(crate) fn edges(&self) -> Vec<Edge> {
        self.0.iter().map(Step::describe).collect()
    }

    /// Whether nobody has moved between the two, wherever they begin.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let (Self(steps), Self(others)) = (self, other);
        let places = |step: &Step| (step.wait, step.hold);
        let first = steps.first().map(places);
        let begin = others.iter().position(|step| Some(places(step)) == first);
        let (before, from) = others.split_at(begin.unwrap_or_default());
        let others = from.iter().chain(before).map(places);
        steps.iter().map(places).eq(others)
    }
}
