//! A claim: one lock that somebody in a process asks the protocol for, until it is released.

use crate::asker;
use crate::store::{Asked, Claim};
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) process: usize,
    pub(super) life: u32,
    /// Who has asked. Those in a process who share the lock have it by the claim of one of them.
    pub(super) asker: usize,
    /// When that one came.
    pub(super) came: u64,
    pub(super) name: u64,
    pub(super) is_shared: bool,
    pub(super) asked: Asked,
    pub(super) state: State,
    /// That of the claim which it was asked for with last.
    pub(super) nonce: u128,
    /// Since when it has been told nothing, or since when it is lost, by the clock of the process, which has run all the
    /// time since.
    pub(super) since: u64,
    pub(super) was_busy: bool,
    pub(super) bad_news: Option<BadNews>,
    /// When it was given up or released.
    pub(super) left: u64,
    /// What was said to the release first: whether it is known to have been held until then.
    pub(super) was_held: Option<bool>,
    /// Whom the agent of the process tells, until all is said.
    pub(super) told: Option<asker::Asker>,
}

/// What is told of a claim that ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadNews {
    Loss,
    Trouble,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Asking,
    Holding,
    /// Somebody may wait for the release.
    Releasing,
    /// It is given up, refused or released.
    Done,
}

impl Claimed {
    /// Whether somebody wants or has it.
    pub(super) fn is_wanted(&self) -> bool {
        matches!(self.state, State::Asking | State::Holding)
    }

    pub(super) fn is_told_of(&self, news: BadNews) -> bool {
        self.bad_news == Some(news)
    }
}

/// What is asked for, with a number that follows from the seed, and what the server isn't asked about
/// left out.
pub(super) fn numbered(claim: &Claim, number: usize) -> Arc<Claim> {
    Arc::new(Claim {
        name: claim.key.clone(),
        key: String::new(),
        nonce: nonce(number),
        shared: claim.shared,
        site: String::new(),
        since: SystemTime::UNIX_EPOCH,
    })
}

/// The first nonce of a claim. Those that follow on it are its as well.
fn nonce(claim: usize) -> u128 {
    (claim as u128) << 32
}

pub(super) fn claim_of(nonce: u128) -> usize {
    usize::try_from(nonce >> 32).expect("the number of a claim")
}
