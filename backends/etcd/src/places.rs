//! Which key each claim of a session has at the server.
//!
//! The server remembers keys that were deleted until somebody compacts its history, and passes them all when
//! it looks who has a lock. So a lock's keys have few names: `LEASE.NUMBER`, with the smallest number that no
//! other claim of the session for that lock has, which is 0 where there is one at a time. Whose key it is
//! says its value.

use crate::line::Line;
use lockutils_remote::Claim;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(crate) struct Places(Mutex<State>);

#[derive(Default)]
struct State {
    /// By their nonces.
    claims: HashMap<u128, Place>,
    /// Those who wait near the front, by their nonces.
    lines: HashMap<u128, Line>,
    /// Which numbers are in use, by the names of the locks.
    numbers: HashMap<String, Vec<bool>>,
}

/// The key of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: usize,
    /// At which revision it was created, if it is known to be there.
    pub(crate) created: Option<i64>,
    /// Whether a question for the claim isn't answered, so that it may come to the server at any time.
    pub(crate) is_asked: bool,
    /// Whether it was released without a mark while a question for it wasn't answered.
    is_unmarked: bool,
}

impl Places {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That of a claim that is about to be asked for. It keeps its number until it leaves.
    pub(crate) fn take(&self, claim: &Claim) -> Place {
        let State {
            claims, numbers, ..
        } = &mut *self.state();
        let place = claims.entry(claim.nonce).or_insert_with(|| {
            let used = numbers.entry(claim.name.clone()).or_default();
            let free = used.iter().position(|used| !used);
            let number = free.unwrap_or(used.len());
            used.resize(used.len().max(number + 1), false);
            used[number] = true;
            Place {
                number,
                created: None,
                is_asked: false,
                is_unmarked: false,
            }
        });
        place.is_asked = true;
        *place
    }

    /// What was asked for it is answered.
    pub(crate) fn answered(&self, claim: &Claim) {
        if let Some(place) = self.state().claims.get_mut(&claim.nonce) {
            place.is_asked = false;
        }
    }

    /// That of a claim; any if it has none, since its value is another one's, and nobody knows what was asked.
    pub(crate) fn of(&self, claim: &Claim) -> Place {
        let state = self.state();
        let unknown = Place {
            number: 0,
            created: None,
            is_asked: true,
            is_unmarked: false,
        };
        state.claims.get(&claim.nonce).copied().unwrap_or(unknown)
    }

    /// Its key was created, or is not there.
    pub(crate) fn set(&self, claim: &Claim, created: Option<i64>) {
        if let Some(place) = self.state().claims.get_mut(&claim.nonce) {
            place.created = created;
        }
    }

    /// Who is before it was seen, if it is near the front.
    pub(crate) fn wait(&self, claim: &Claim, line: Option<Line>) {
        let State { claims, lines, .. } = &mut *self.state();
        match line.filter(|_| claims.contains_key(&claim.nonce)) {
            Some(line) => lines.insert(claim.nonce, line),
            None => lines.remove(&claim.nonce),
        };
    }

    /// Who was before it when that was seen last, once.
    pub(crate) fn line(&self, claim: &Claim) -> Option<Line> {
        self.state().lines.remove(&claim.nonce)
    }

    /// Its key isn't there, but no mark keeps out a question for it that comes late. So its number stays its own until
    /// it is released once more, which the agent does when nothing that old is under way, and which then deletes that key.
    pub(crate) fn leave_unmarked(&self, claim: &Claim) {
        let mut state = self.state();
        match state.claims.get_mut(&claim.nonce) {
            Some(place) if !place.is_unmarked => place.is_unmarked = true,
            _ => {
                drop(state);
                self.leave(claim);
            }
        }
    }

    /// Its key is gone, and its number may be another one's.
    pub(crate) fn leave(&self, claim: &Claim) {
        let State {
            claims,
            lines,
            numbers,
        } = &mut *self.state();
        lines.remove(&claim.nonce);
        let Some(place) = claims.remove(&claim.nonce) else {
            return;
        };
        if let Some(used) = numbers.get_mut(&claim.name) {
            used[place.number] = false;
            if used.iter().all(|used| !used) {
                numbers.remove(&claim.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Places};
    use lockutils_remote::Claim;
    use std::time::SystemTime;

    fn claim(name: &str, nonce: u128) -> Claim {
        Claim {
            name: name.into(),
            key: String::new(),
            nonce,
            shared: false,
            site: String::new(),
            since: SystemTime::now(),
        }
    }

    #[test]
    fn smallest_number_that_is_free_is_taken() {
        let places = Places::default();
        let take = |name, nonce| places.take(&claim(name, nonce)).number;
        let leave = |name, nonce| places.leave(&claim(name, nonce));
        assert_eq!([take("a", 1), take("a", 2), take("b", 3)], [0, 1, 0]);
        assert_eq!([take("a", 1), take("a", 2)], [0, 1]);
        leave("a", 1);
        leave("a", 1);
        assert_eq!([take("a", 4), take("a", 5)], [0, 2]);
        for (name, nonce) in [("a", 2), ("a", 4), ("a", 5), ("b", 3)] {
            leave(name, nonce);
        }
        assert!(places.state().numbers.is_empty() && places.state().claims.is_empty());
    }

    #[test]
    fn line_is_had_once_and_not_by_who_has_left() {
        let (places, claim) = (Places::default(), claim("a", 1));
        let line = || Some(Line::alone(Vec::new(), 1));
        places.take(&claim);
        places.wait(&claim, line());
        assert!(places.line(&claim).is_some());
        assert!(places.line(&claim).is_none());
        places.wait(&claim, line());
        places.leave(&claim);
        places.wait(&claim, line());
        assert!(places.state().lines.is_empty());
    }

    #[test]
    fn revision_is_that_of_the_claim() {
        let places = Places::default();
        let (one, other) = (claim("a", 1), claim("a", 2));
        places.take(&one);
        places.set(&one, Some(7));
        places.set(&other, Some(8));
        assert_eq!(places.take(&one).created, Some(7));
        assert_eq!(places.of(&other).created, None);
        places.leave(&one);
        assert_eq!(places.of(&one).created, None);
    }

    #[test]
    fn number_of_a_claim_without_a_mark_is_its_own_until_it_is_released_once_more() {
        let places = Places::default();
        let (unmarked, other) = (claim("a", 1), claim("a", 2));
        places.take(&unmarked);
        places.leave_unmarked(&unmarked);
        assert_eq!(places.take(&other).number, 1);
        assert_eq!(places.of(&unmarked).number, 0);
        places.leave_unmarked(&unmarked);
        places.leave(&other);
        assert!(places.state().numbers.is_empty() && places.state().claims.is_empty());
    }

    #[test]
    fn question_may_be_under_way_until_it_is_answered() {
        let (places, claim) = (Places::default(), claim("a", 1));
        assert!(places.of(&claim).is_asked, "nothing is known of it");
        assert!(places.take(&claim).is_asked);
        places.answered(&claim);
        assert!(!places.of(&claim).is_asked);
        assert!(places.take(&claim).is_asked);
        assert!(places.of(&claim).is_asked);
    }
}
