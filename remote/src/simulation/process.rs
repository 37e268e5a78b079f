//! A process: its protocol, its askers, and what it has under way.

use super::schedule::{What, Wish};
use crate::protocol::{Call, Id, Outcome, Protocol};
use crate::store::{Asked, Claim, Kept, Loss};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Process {
    pub(super) protocol: Protocol,
    /// How many times it has died.
    pub(super) life: u32,
    /// Until when it is stopped.
    pub(super) stopped: Option<u64>,
    /// What has come meanwhile.
    pub(super) inbox: VecDeque<Input>,
    /// By the call that has opened it.
    pub(super) connections: BTreeMap<Call, Connection>,
    pub(super) calls: BTreeMap<Call, Pending>,
    /// Askers of each name who are in line in the process.
    pub(super) lines: BTreeMap<u64, VecDeque<usize>>,
    pub(super) ids: BTreeMap<Id, Who>,
    pub(super) last_id: u64,
    pub(super) wake: Option<u64>,
    /// Until when nothing passes.
    pub(super) cut: u64,
    /// Until when no answer does.
    pub(super) swallow: u64,
    /// What goes wrong when it has asked the next question.
    pub(super) trap: Option<What>,
    /// How often it has connected in vain, and since when, by its own clock.
    pub(super) in_vain: (u32, u64),
}

#[derive(Debug)]
pub(super) struct Connection {
    /// The server's number of the session.
    pub(super) session: u64,
    pub(super) is_broken: bool,
    pub(super) is_deaf: bool,
    /// When the last request arrives.
    pub(super) last: u64,
}

/// A question under way.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) session: Option<Call>,
    pub(super) request: Request,
}

#[derive(Clone, Debug)]
pub(super) enum Request {
    Open,
    Acquire(Arc<Claim>, Asked),
    Freed(Arc<Claim>),
    Release(Arc<Claim>),
    Renew(Vec<Arc<Claim>>),
    Holders,
    Close,
}

/// What happens to a process.
#[derive(Debug)]
pub(super) enum Input {
    /// With the server's number of a session that it has opened, and how many times the server
    /// had lost its data.
    Answered(Call, Outcome, u64, u64),
    Lost(Call, Loss),
    Wake,
    Step(usize, Step),
    Next(u64),
    Close,
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Come,
    GiveUp,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Asker(usize),
    Looker(u64),
}

#[derive(Debug)]
pub(super) struct Asker {
    pub(super) wish: Wish,
    pub(super) life: u32,
    pub(super) state: State,
    pub(super) id: Id,
    pub(super) claim: Arc<Claim>,
    /// That of the claim which it was asked for with last.
    pub(super) nonce: u128,
    /// When it came.
    pub(super) came: u64,
    /// Since when it has been told nothing, by the clock of the process.
    pub(super) since: u64,
    pub(super) was_busy: bool,
    pub(super) is_told_of_loss: bool,
    /// When it went, or released the lock.
    pub(super) left: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In line in the process.
    InLine,
    Asking,
    Holding,
    /// Somebody waits for the release.
    Releasing,
    /// It has gone, or is served.
    Done,
}

impl Process {
    pub(super) fn new(protocol: Protocol, life: u32) -> Self {
        Self {
            protocol,
            life,
            stopped: None,
            inbox: VecDeque::new(),
            connections: BTreeMap::new(),
            calls: BTreeMap::new(),
            lines: BTreeMap::new(),
            ids: BTreeMap::new(),
            last_id: 0,
            wake: None,
            cut: 0,
            swallow: 0,
            trap: None,
            in_vain: (0, 0),
        }
    }

    pub(super) fn next_id(&mut self, who: Who) -> Id {
        self.last_id += 1;
        let id = Id(self.last_id);
        self.ids.insert(id, who);
        id
    }
}

/// The claims of a renewal that the server says are lost.
pub(super) fn lost(claims: &[Arc<Claim>], outcome: &Outcome) -> Vec<u128> {
    let Outcome::Renewed(Ok(Kept::AllBut(lost))) = outcome else {
        return Vec::new();
    };
    lost.iter().map(|number| claims[*number].nonce).collect()
}
