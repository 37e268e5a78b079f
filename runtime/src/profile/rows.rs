//! The rows of a profile.

use crate::costs::{Cost, CostOfKey, Costs};
use crate::culprit::Culprit;
use crate::key::Key;
use crate::name::Keys;
use crate::ordered::{SortedVec, sort};
use crate::site::Site;
use crate::table::identity::name_of;
use std::time::Duration;

/// A profile, as rows of which the costliest comes first.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// How long it has been counted.
    pub(super) lasted: Duration,
    pub(super) rows: Vec<Row>,
}

/// What those waited here who waited for what was held there.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) space: &'static str,
    pub(super) holder: Place,
    pub(super) waiter: Place,
    pub(super) cost: Cost,
    /// Of which that of the costliest keys is a part.
    pub(super) keys: Vec<(Key, Cost)>,
}

/// A place in the code, or another process, which has no file here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) text: String,
    pub(super) file: &'static str,
    pub(super) line: u32,
}

impl From<Site> for Place {
    #[inline]
    fn from(site: Site) -> Self {
        Self {
            text: site.to_string(),
            file: site.location().file(),
            line: site.location().line(),
        }
    }
}

impl From<Culprit> for Place {
    #[inline]
    fn from(culprit: Culprit) -> Self {
        match culprit {
            Culprit::Here(site) => site.into(),
            Culprit::Elsewhere(_) => Self {
                text: culprit.to_string(),
                file: "",
                line: 0,
            },
        }
    }
}

impl Rows {
    #[inline]
    pub(super) fn new(costs: &Costs, shown: Keys) -> Self {
        let mut rows = SortedVec::new();
        for (pair, cost) in &costs.pairs {
            let id = (name_of(pair.space), pair.holder.into(), pair.waiter.into());
            let row: &mut (Cost, SortedVec<Key, Cost>) = rows.get_or_default(id);
            row.0.add(*cost);
        }
        for CostOfKey { pair, key, cost } in costs.keys.iter() {
            let id = (name_of(pair.space), pair.holder.into(), pair.waiter.into());
            if let Some((_, keys)) = rows.get_mut(&id) {
                keys.get_or_default(shown.shown(key)).add(cost);
            }
        }
        let row = |((space, holder, waiter), (cost, keys))| Row {
            space,
            holder,
            waiter,
            cost,
            keys: SortedVec::into_vec(keys),
        };
        let mut rows: Vec<_> = rows.into_vec().into_iter().map(row).collect();
        sort(&mut rows, |one, other| {
            other.cost.nanoseconds.cmp(&one.cost.nanoseconds)
        });
        let lasted = costs.lasted();
        Self { lasted, rows }
    }
}

/// A text as a frame of a folded stack, which has no semicolon, no end of line, and some letter.
#[inline]
pub(super) fn frame(text: &str) -> String {
    let allowed = |char: char| match char {
        ';' => ':',
        char if char.is_control() => ' ',
        char => char,
    };
    let text: String = text.chars().map(allowed).collect();
    if text.is_empty() {
        "unnamed".to_owned()
    } else {
        text
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::frame;

    #[test]
    fn frame_is_one_and_not_empty() {
        assert_eq!(frame("a;b\nc"), "a:b c");
        assert_eq!(frame(""), "unnamed");
    }
}
