//! A process: its protocol, the space of its askers, and what it has under way.

use super::schedule::{What, Wish, name};
use crate::agent::{Message, Post};
use crate::fake::FakeStore;
use crate::protocol::{Call, Id, Outcome, Protocol};
use crate::space::{FromUrl as _, Remote};
use crate::store::{Asked, Claim, Kept, Loss};
use lockutils::{AsyncLeaseGuard, Error};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The wait of a task for one lock, or for several.
pub(super) type Taking = Pin<Box<dyn Future<Output = Result<AsyncLeaseGuard, Error>>>>;

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
    /// That of its askers, and what they would tell its agent.
    pub(super) space: Remote<FakeStore>,
    pub(super) messages: UnboundedReceiver<Message>,
    pub(super) ids: BTreeMap<Id, Who>,
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
    Close,
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Come,
    /// It was called.
    GoOn,
    GiveUp,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Claim(usize),
    Looker(u64),
}

impl Process {
    pub(super) fn new(protocol: Protocol, life: u32) -> Self {
        // With the same name in all runs, since names of spaces are kept for ever.
        static SPACE: LazyLock<Remote<FakeStore>> = LazyLock::new(|| {
            let store = FakeStore::from_url("memory://simulation").expect("a URL");
            Remote::of(store).prefix("")
        });
        let space = SPACE.changed(|_| {});
        let (sender, messages) = unbounded_channel();
        space.engine().set_agent(Post::to(sender));
        Self {
            protocol,
            life,
            stopped: None,
            inbox: VecDeque::new(),
            connections: BTreeMap::new(),
            calls: BTreeMap::new(),
            space,
            messages,
            ids: BTreeMap::new(),
            wake: None,
            cut: 0,
            swallow: 0,
            trap: None,
            in_vain: (0, 0),
        }
    }

    /// Begins to take what somebody wishes.
    pub(super) fn take(&self, wish: &Wish) -> Taking {
        let names = wish.names.iter().map(|number| name(*number));
        let tries = wish.asked == Asked::Once;
        if let [one] = wish.names[..] {
            let lock = self.space.key(name(one));
            let lock = if wish.is_shared { lock.shared() } else { lock };
            return if tries {
                Box::pin(lock.try_lock_async())
            } else {
                Box::pin(lock.lock_async())
            };
        }
        let locks = self.space.keys(names);
        let locks = if wish.is_shared {
            locks.shared()
        } else {
            locks
        };
        if tries {
            Box::pin(locks.try_lock_async())
        } else {
            Box::pin(locks.lock_async())
        }
    }
}

/// The claims of a renewal that the server says are lost.
pub(super) fn lost(claims: &[Arc<Claim>], outcome: &Outcome) -> Vec<u128> {
    let Outcome::Renewed(Ok(Kept::AllBut(lost))) = outcome else {
        return Vec::new();
    };
    lost.iter().map(|number| claims[*number].nonce).collect()
}
