//! Those who have asked, as the agent knows them, and how each is told its news.

use crate::clock;
use crate::protocol::{Id, LostBy, News, Trouble};
use crate::slot::{InTheWay, Promise, Reply, ended};
use lockutils::engine::{Lease, Refusal};
use lockutils::ordered::OrderedMap;
use std::fmt;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Somebody who has asked, until all is said about it.
#[derive(Debug)]
pub(crate) struct Asker {
    promise: Promise,
    /// Who is in the way, for texts.
    in_the_way: Arc<InTheWay>,
    /// Whether it is told that the lock is busy, and goes.
    tries: bool,
    granted: Option<Granted>,
}

#[derive(Debug)]
struct Granted {
    lease: Lease,
    /// When it is lost, by the [`clock`].
    deadline: Arc<AtomicU64>,
}

impl Asker {
    pub(crate) fn new(promise: Promise, in_the_way: Arc<InTheWay>, tries: bool) -> Self {
        Self {
            promise,
            in_the_way,
            tries,
            granted: None,
        }
    }

    /// Tells it what there is to tell.
    pub(crate) fn tell(&mut self, news: News) {
        match (news, &self.granted) {
            (News::Granted { fence, deadline }, _) => self.grant(fence, deadline),
            (News::Busy(taken), _) => {
                self.in_the_way.set(taken);
                if self.tries {
                    self.promise.keep(Reply::Busy);
                } else {
                    self.promise.set_busy();
                }
            }
            (News::Unavailable(trouble), _) => {
                self.promise.keep(Reply::Refused(unavailable(&trouble)));
            }
            (News::Seen(holders), _) => self.promise.keep(Reply::Seen(holders)),
            (News::Lost(by), Some(granted)) => granted.lease.lose(reason(by)),
            (News::Released(true), Some(granted)) => granted.lease.released(Ok(())),
            (News::Released(false), Some(granted)) => {
                let lost = Refusal::lost("its server had it no longer when it was released");
                granted.lease.released(Err(lost));
            }
            (News::Unreleased(trouble), Some(granted)) => {
                granted.lease.released(Err(unavailable(&trouble)));
            }
            (News::Lost(_) | News::Released(_) | News::Unreleased(_), None) => {}
        }
    }

    /// Says why the server can't be reached, or that it can, to who waits for an answer.
    pub(crate) fn set_unreached(&self, why: Option<&Arc<str>>) {
        if self.granted.is_none() {
            self.promise.set_unreached(why.cloned());
        }
    }

    /// What it has is lost at this time, unless it is renewed again.
    pub(crate) fn renewed(&self, deadline: u64) {
        if let Some(granted) = &self.granted {
            // Relaxed: it is a number, and nothing else goes by it.
            granted.deadline.store(deadline, Ordering::Relaxed);
        }
    }

    fn grant(&mut self, fence: u64, deadline: u64) {
        self.in_the_way.set(None);
        let deadline = Arc::new(AtomicU64::new(deadline));
        let (process, end) = (process::id(), Arc::clone(&deadline));
        let lease = Lease::new(fence, move || {
            // The child of a fork has a copy of the guard, and not the lock.
            if process::id() == process {
                clock::until(end.load(Ordering::Relaxed))
            } else {
                Duration::ZERO
            }
        });
        self.granted = Some(Granted {
            lease: lease.clone(),
            deadline,
        });
        self.promise.keep(Reply::Granted(lease));
    }
}

/// The agent is no more: what it would have renewed is lost, and who waits for it waits no longer.
/// After the news that all is said, this changes nothing.
impl Drop for Asker {
    fn drop(&mut self) {
        if let Some(Granted { lease, .. }) = &self.granted {
            lease.lose("the thread that renews it has panicked");
            lease.released(Err(ended()));
        }
    }
}

/// Which askers there are. In a map of their own, so that they are told whatever ends the agent.
pub(crate) type Askers = OrderedMap<Id, Asker>;

pub(crate) fn unavailable(trouble: &Trouble) -> Refusal {
    Refusal::unavailable(unreached(trouble))
}

/// Why a server can't be asked, and what helps.
pub(crate) fn unreached(trouble: &dyn fmt::Display) -> String {
    let text = trouble.to_string();
    let remedy = if text.contains(';') {
        ""
    } else {
        "; see that it runs, can be reached, and is what the URL says, with TLS or without"
    };
    format!("its server can't be asked: {text}{remedy}")
}

const fn reason(by: LostBy) -> &'static str {
    match by {
        LostBy::Time => "its lease ended, since it was not renewed in time",
        LostBy::Server => "its server has it no longer",
        LostBy::Session => "the session with its server has ended",
    }
}
