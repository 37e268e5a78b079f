//! An engine whose locks can be lost: a server in memory, which loses a lock when it is told to.

use lockutils::Key;
use lockutils::engine::{Answer, Ask, By, Engine, InUse, Lease, Pause, Places, Queued, Refusal};
use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

/// A space of locks that can be lost.
pub type LossyLocks = Queued<Lossy>;

/// The engine, which is the server as well.
#[derive(Debug)]
pub struct Lossy {
    places: Places<Key>,
    server: Arc<Server>,
}

/// What the server knows.
#[derive(Debug, Default)]
struct Server {
    held: Mutex<HashMap<Key, Lease>>,
    granted: AtomicU64,
    /// Whether releases get no answer until [`Lossy::answer`].
    is_silent: AtomicBool,
    unanswered: Mutex<Vec<Lease>>,
    /// Whether the clock of all holds is over, and nobody was told.
    is_late: Arc<AtomicBool>,
}

/// A lock that is held; dropping it releases.
#[derive(Debug)]
pub struct LossyHold {
    server: Arc<Server>,
    name: Key,
    lease: Lease,
}

impl Lossy {
    /// The lease, which nobody has to renew.
    pub const LEASE: Duration = Duration::from_secs(15);

    /// Makes the space of a server of its own.
    #[must_use]
    pub fn locks() -> LossyLocks {
        Queued::new(Self {
            places: Places::new("lossy"),
            server: Arc::default(),
        })
    }

    /// The server gives the lock to others, and says so.
    ///
    /// # Panics
    ///
    /// If nobody has it.
    pub fn lose(&self, key: &str) {
        assert!(self.lose_if_held(key), "somebody has it");
    }

    /// The same, if somebody has it.
    #[must_use]
    pub fn lose_if_held(&self, key: &str) -> bool {
        let lease = self.server.held().remove(&Key::new(key));
        lease.is_some_and(|lease| {
            lease.lose("the server was told to lose it");
            true
        })
    }

    /// Whether the leases of all locks are over, which nobody sees who doesn't look at the clock.
    pub fn be_late(&self, is_late: bool) {
        self.server.is_late.store(is_late, Ordering::SeqCst);
    }

    /// Whether somebody has the lock, at the server.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.server.held().contains_key(&Key::new(key))
    }

    /// Answers to no release.
    pub fn be_silent(&self) {
        self.server.is_silent.store(true, Ordering::SeqCst);
    }

    /// How many releases have no answer.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.server.unanswered().len()
    }

    /// Answers to all releases.
    pub fn answer(&self, result: &Result<(), Refusal>) {
        for lease in mem::take(&mut *self.server.unanswered()) {
            lease.released(result.clone());
        }
    }
}

impl Server {
    fn held(&self) -> MutexGuard<'_, HashMap<Key, Lease>> {
        self.held.lock().unwrap()
    }

    fn unanswered(&self) -> MutexGuard<'_, Vec<Lease>> {
        self.unanswered.lock().unwrap()
    }

    /// Gives the lock, unless somebody has it.
    fn grant(&self, name: &Key) -> Option<Lease> {
        let mut held = self.held();
        if held.contains_key(name) {
            return None;
        }
        let fence = self.granted.fetch_add(1, Ordering::SeqCst) + 1;
        let (until, is_late) = (Instant::now() + Lossy::LEASE, Arc::clone(&self.is_late));
        let lease = Lease::new(fence, move || {
            if is_late.load(Ordering::SeqCst) {
                Duration::ZERO
            } else {
                until.saturating_duration_since(Instant::now())
            }
        });
        held.insert(name.clone(), lease.clone());
        Some(lease)
    }
}

impl Engine for Lossy {
    type Place = InUse<Key>;
    type Wait = Pause;
    type Hold = LossyHold;
    type Proof = Lease;

    fn name(&self) -> &'static str {
        "lossy"
    }

    fn locate(&self, key: &Key) -> Result<Key, Refusal> {
        Ok(key.clone())
    }

    /// That of the names read backwards: a server may have an order of its own.
    fn order(&self, name: &Key) -> Key {
        Key::new(name.as_str().chars().rev().collect::<String>())
    }

    fn place(&self, name: &Key) -> Result<InUse<Key>, Refusal> {
        Ok(self.places.of(name, || name.clone()))
    }

    fn poll(
        &self,
        place: &mut InUse<Key>,
        pause: &mut Pause,
        ask: &Ask<'_>,
        by: &By<'_>,
    ) -> Poll<Result<Answer<LossyHold>, Refusal>> {
        loop {
            ready!(pause.poll(by));
            match self.server.grant(place) {
                Some(lease) => {
                    return Poll::Ready(Ok(Answer::Granted(LossyHold {
                        server: Arc::clone(&self.server),
                        name: Key::clone(place),
                        lease,
                    })));
                }
                None if ask.waits(by) => *pause = Pause::of(Duration::from_millis(1)),
                None => return Poll::Ready(Ok(Answer::Busy)),
            }
        }
    }

    fn proof(hold: &LossyHold) -> Lease {
        hold.lease.clone()
    }

    fn wakes_at(&self, pause: &Pause) -> Option<Instant> {
        pause.end()
    }
}

impl Drop for LossyHold {
    fn drop(&mut self) {
        self.lease.release_begins();
        let mut held = self.server.held();
        let fence = held.get(&self.name).map(Lease::fence);
        if fence == Some(self.lease.fence()) {
            held.remove(&self.name);
        }
        drop(held);
        if self.server.is_silent.load(Ordering::SeqCst) {
            self.server.unanswered().push(self.lease.clone());
        } else {
            self.lease.released(Ok(()));
        }
    }
}
