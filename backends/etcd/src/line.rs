//! Who is before a claim in the queue of its lock.
//!
//! A key that comes later has a greater create revision, so nobody ever comes in before one that is there.
//! Who knows the keys before its own at one revision, and is told what has been deleted since, in its
//! order and with nothing left out, so knows without another question when it is first: all of them are gone,
//! and its own isn't. What is told late makes it late, and nobody else early. That its own is there still it
//! knows as any holder does: by the lease, and by a watch.
//!
//! The keys of a lock are used again, see `places.rs`. So what was deleted before that revision, which
//! a server may tell by mistake (etcd#15248), counts for nothing; and what is deleted a second time was
//! somebody's behind it.

use crate::proto::event::EventType;
use crate::proto::{Event, KeyValue};

/// How many before it a claim watches at most. Each release tells so many who wait that
/// it has happened; those who are further behind wait until they come near.
pub(crate) const MAX_WATCHED: i64 = 8;

/// The keys before a claim's own.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    own: Vec<u8>,
    before: Vec<Vec<u8>>,
    /// The revision at which it was so.
    pub(crate) seen_at: i64,
}

/// What has become of a claim's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is the first one.
    First,
    /// It was deleted.
    Gone,
}

impl Line {
    /// That of a key which was created at a revision, by the oldest keys of the lock in their order; `None` if it
    /// isn't among them.
    pub(crate) fn of(created: i64, oldest: &[KeyValue], seen_at: i64) -> Option<Self> {
        let is_own = |key: &KeyValue| key.create_revision == created;
        let own = oldest.iter().position(is_own)?;
        let keys = oldest.iter().map(|key| key.key.clone());
        let mut before: Vec<_> = keys.take(own + 1).collect();
        let own = before.pop()?;
        Some(Self {
            own,
            before,
            seen_at,
        })
    }

    /// That of a key which is of interest by itself.
    pub(crate) fn alone(own: Vec<u8>, seen_at: i64) -> Self {
        let before = Vec::new();
        Self {
            own,
            before,
            seen_at,
        }
    }

    /// Takes what the server tells next: all that has happened in a revision, or in several.
    pub(crate) fn hear(&mut self, events: &[Event]) -> Option<Turn> {
        let mut turn = None;
        let seen_at = self.seen_at;
        let deleted = |event| deleted_since(seen_at, event);
        for key in events.iter().filter_map(deleted) {
            if key == self.own {
                return Some(Turn::Gone);
            }
            if let Some(at) = self.before.iter().position(|before| *before == key) {
                self.before.swap_remove(at);
                turn = self.before.is_empty().then_some(Turn::First);
            }
        }
        turn
    }
}

/// The key that was deleted, if one was, after a revision.
fn deleted_since(seen_at: i64, event: &Event) -> Option<&[u8]> {
    let is_delete = event.r#type() == EventType::Delete;
    let key = event.kv.as_ref().filter(|_| is_delete)?;
    (key.mod_revision > seen_at).then_some(&key.key[..])
}

/// A lock's keys under each short history, each choice of when a line is seen, and of how the server tells of what
/// comes then: nobody is early, and nobody is forgotten.
///
/// Faults that this finds: the own key's deletion counts for nothing, or only before the others' in the same
/// message; what is told of the time before counts; what is put counts; deletions are counted, and not whose they were;
/// the last one before it is taken to be the only one; a key that comes later is taken to be before.
#[cfg(test)]
mod tests {
    use super::*;

    const OWN: usize = 1;
    /// In the order of the server, which tells of one revision in the order of the keys.
    const KEYS: [&str; 3] = ["lock/1.0", "lock/2.0", "lock/3.0"];
    const STEPS: usize = 5;
    /// Those of keys that aren't empty.
    const SETS: usize = (1 << KEYS.len()) - 1;
    const KINDS: usize = SETS + KEYS.len();

    /// When each key was created, if it is there.
    type State = [Option<i64>; 3];

    fn event(kind: EventType, key: usize, revision: i64) -> Event {
        Event {
            r#type: kind.into(),
            kv: Some(KeyValue {
                key: KEYS[key].into(),
                mod_revision: revision,
                ..KeyValue::default()
            }),
        }
    }

    /// What happens in one revision: the keys of a set change, where several may go at a time, with their lease,
    /// but not come; or a key is written once more. `None` if that can't be.
    fn happen(state: &mut State, what: usize, revision: i64) -> Option<Vec<Event>> {
        let put = |key| event(EventType::Put, key, revision);
        if let Some(key) = what.checked_sub(SETS) {
            return state[key].map(|_| vec![put(key)]);
        }
        let mut events = Vec::new();
        for key in (0..KEYS.len()).filter(|key| (what + 1) >> key & 1 == 1) {
            let comes = state[key].is_none();
            state[key] = comes.then_some(revision);
            events.push(match comes {
                true if events.is_empty() => put(key),
                true => return None,
                false => event(EventType::Delete, key, revision),
            });
        }
        Some(events)
    }

    /// What is so at each revision, and what is told of it.
    fn history(mut number: usize) -> Option<(Vec<State>, Vec<Vec<Event>>)> {
        let (mut states, mut events) = (vec![State::default()], vec![Vec::new()]);
        for revision in 1..=STEPS {
            let mut state = states[revision - 1];
            let what = number % KINDS;
            let told = happen(&mut state, what, i64::try_from(revision).unwrap())?;
            events.push(told);
            states.push(state);
            number /= KINDS;
        }
        Some((states, events))
    }

    fn oldest(state: &State) -> Vec<KeyValue> {
        let keys = KEYS.iter().zip(state);
        let keys = keys.filter_map(|(key, created)| {
            Some(KeyValue {
                key: (*key).into(),
                create_revision: (*created)?,
                ..KeyValue::default()
            })
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by_key(|key| key.create_revision);
        keys
    }

    fn is_first(state: &State, created: i64) -> bool {
        state[OWN] == Some(created) && state.iter().flatten().all(|other| *other >= created)
    }

    /// What is told from the step on at which a claim, created at a revision, saw its line.
    fn follow(states: &[State], events: &[Vec<Event>], seen: usize, created: i64, pieces: usize) {
        let seen_at = i64::try_from(seen).unwrap();
        let Some(mut line) = Line::of(created, &oldest(&states[seen]), seen_at) else {
            return;
        };
        if line.before.is_empty() {
            return;
        }
        // A server may tell what is old.
        assert_eq!(line.hear(&events[..=seen].concat()), None, "{states:?}");
        let mut at = seen;
        while at + 1 < states.len() {
            // Several revisions at a time, or one.
            let end = (at + pieces).min(states.len() - 1);
            let turn = line.hear(&events[at + 1..=end].concat());
            at = end;
            let (first, is_there) = (
                is_first(&states[at], created),
                states[at][OWN] == Some(created),
            );
            match turn {
                Some(Turn::First) => assert!(first, "early: {states:?}, seen at {seen}"),
                Some(Turn::Gone) => assert!(!is_there),
                None => assert!(!first && is_there, "forgotten: {states:?}, seen at {seen}"),
            }
            if turn.is_some() {
                return;
            }
        }
    }

    #[test]
    fn nobody_is_early_and_nobody_is_forgotten() {
        let all = (0..usize::pow(KINDS, STEPS.try_into().unwrap())).filter_map(history);
        for (states, events) in all {
            for (seen, state) in states.iter().enumerate() {
                let Some(created) = state[OWN] else { continue };
                for pieces in 1..=STEPS {
                    follow(&states, &events, seen, created, pieces);
                }
            }
        }
    }
}
