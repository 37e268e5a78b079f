//! What the session has asked for.
//!
//! `PostgreSQL` counts: a session that takes a lock it has already has it twice. So for each claim it
//! is known what was sent, which is what the server does, in this order, whoever waits for the answer.
//!
//! | state | was sent | the server has done |
//! |---|---|---|
//! | - | nothing, or what gave everything back | |
//! | `Asked` | the wish | nobody knows what, until the answer |
//! | `Queued` | the wish | given the twin, since the lock is busy |
//! | `Held` | the wish | given the lock |
//! | `Left` | the release | nobody knows whether already, until the answer |

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lockutils_remote::Claim;
use tokio::sync::Notify;

use crate::id;
use crate::sql::Ask;

#[derive(Debug, Default)]
pub(crate) struct Claims {
    claims: HashMap<u128, State>,
    locks: HashMap<i64, Lock>,
}

/// A lock of the server that claims are for.
#[derive(Debug, Default)]
struct Lock {
    claims: usize,
    freed: Arc<Notify>,
}

#[derive(Debug)]
enum State {
    Asked,
    Queued,
    Held(Held),
    Left { had: bool },
}

#[derive(Debug)]
struct Held {
    fence: u64,
    since: Instant,
    claim: Claim,
    /// Whether the server was told who it is.
    noted: bool,
}

/// What is to be sent for a wish.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The statement.
    Send(Ask),
    /// First the release, since nobody knows what became of the last.
    Undo,
    /// Nothing: the lock is there, with this fence.
    Held(u64),
    /// Nothing: there are too many.
    TooMany,
}

/// What is to be sent for a release.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leaving {
    /// Whether the twin may be there.
    pub(crate) twin: bool,
    /// Whether the lock may be there.
    pub(crate) lock: bool,
    /// Whether it was written down.
    pub(crate) noted: bool,
}

impl Claims {
    /// Whether it is to be asked for, and how. It counts as asked from here on.
    pub(crate) fn ask(&mut self, claim: &Claim, waits: bool, most: usize) -> Wish {
        let fresh = if waits { Ask::Join } else { Ask::Once };
        let ask = match self.claims.get(&claim.nonce) {
            Some(State::Held(held)) => return Wish::Held(held.fence),
            Some(State::Asked) => return Wish::Undo,
            Some(State::Queued) => Ask::Stay,
            Some(State::Left { .. }) => fresh,
            None => {
                let id = id::named(&claim.name);
                if self.locks.len() >= most && !self.locks.contains_key(&id) {
                    return Wish::TooMany;
                }
                self.locks.entry(id).or_default().claims += 1;
                fresh
            }
        };
        self.claims.insert(claim.nonce, State::Asked);
        Wish::Send(ask)
    }

    /// It has the lock.
    pub(crate) fn granted(&mut self, claim: &Claim, fence: u64) {
        let held = Held {
            fence,
            since: Instant::now(),
            claim: claim.clone(),
            noted: false,
        };
        self.answered(claim, State::Held(held));
    }

    /// It has the twin.
    pub(crate) fn queued(&mut self, claim: &Claim) {
        self.answered(claim, State::Queued);
    }

    fn answered(&mut self, claim: &Claim, state: State) {
        if let Some(asked @ State::Asked) = self.claims.get_mut(&claim.nonce) {
            *asked = state;
        }
    }

    /// It has nothing any more.
    pub(crate) fn gone(&mut self, claim: &Claim) {
        if self.claims.remove(&claim.nonce).is_some() {
            let id = id::named(&claim.name);
            if let Some(lock) = self.locks.get_mut(&id) {
                lock.claims -= 1;
                if lock.claims == 0 {
                    self.locks.remove(&id);
                }
            }
        }
    }

    /// What is to be given back, which counts as sent from here on. Nothing if that was sent already.
    pub(crate) fn leave(&mut self, claim: &Claim) -> Option<Leaving> {
        let state = self.claims.get_mut(&claim.nonce)?;
        let (twin, lock, noted) = match state {
            State::Asked => (true, true, false),
            State::Queued => (true, false, false),
            State::Held(held) => (false, true, held.noted),
            State::Left { .. } => return None,
        };
        let had = matches!(state, State::Held(_));
        *state = State::Left { had };
        Some(Leaving { twin, lock, noted })
    }

    /// Whether it had the lock, if it was released without an answer.
    pub(crate) fn had(&self, claim: &Claim) -> bool {
        matches!(
            self.claims.get(&claim.nonce),
            Some(State::Left { had: true })
        )
    }

    /// What a release wakes.
    pub(crate) fn freed(&self, id: i64) -> Option<Arc<Notify>> {
        self.locks.get(&id).map(|lock| Arc::clone(&lock.freed))
    }

    /// What is held for that long and isn't noted, which counts as noted from here on; and whether there
    /// is more that isn't.
    pub(crate) fn note(&mut self, after: Duration) -> (Vec<(Claim, u64)>, bool) {
        let mut more = false;
        let mut noted = Vec::new();
        for state in self.claims.values_mut() {
            match state {
                State::Held(held) if !held.noted && held.since.elapsed() >= after => {
                    held.noted = true;
                    noted.push((held.claim.clone(), held.fence));
                }
                State::Held(held) => more |= !held.noted,
                _ => {}
            }
        }
        (noted, more)
    }
}
