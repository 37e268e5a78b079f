//! A server in memory: a state machine whose clock is its caller's.
//!
//! Who waits for a lock has a place in its queue, and nobody behind it is granted the lock before
//! it. A hold and a place last for a lease from the last question about them; or, where there is
//! one lease for all of a session, until that is over.

use crate::store::{Answer, Asked, Claim, Kept, Member, Query, Taken};
use lockutils::ordered::OrderedMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A server in memory, with a clock in nanoseconds that its caller gives, and which may run
/// otherwise than that of its clients.
#[derive(Debug)]
pub struct FakeServer {
    one_lease: bool,
    sessions: OrderedMap<u64, Session>,
    locks: BTreeMap<String, Lock>,
    last_session: u64,
    last_fence: u64,
    /// No lease is over before this.
    earliest: u64,
}

#[derive(Debug)]
struct Session {
    member: Arc<Member>,
    /// When its lease is over.
    until: u64,
}

#[derive(Debug, Default)]
struct Lock {
    holders: Vec<Hold>,
    /// Who waits, in the order in which they came.
    queue: Vec<Place>,
}

#[derive(Debug)]
struct Hold {
    nonce: u128,
    session: u64,
    until: u64,
    shared: bool,
    fence: u64,
    prefix: String,
    taken: Taken,
}

#[derive(Debug)]
struct Place {
    nonce: u128,
    session: u64,
    until: u64,
    shared: bool,
}

/// There is no such session: it was closed, its lease is over, or the server was restarted since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSession;

impl FakeServer {
    /// A server where nobody has anything: with one lease for all that a session holds, or else
    /// with one for each hold.
    #[must_use]
    pub fn new(one_lease: bool) -> Self {
        Self {
            one_lease,
            sessions: OrderedMap::new(),
            locks: BTreeMap::new(),
            last_session: 0,
            last_fence: 0,
            earliest: u64::MAX,
        }
    }

    /// Begins a session, with the lease that the member asks for, and gives its number.
    pub fn open(&mut self, now: u64, member: &Arc<Member>) -> u64 {
        self.pass(now);
        self.last_session += 1;
        let until = now + lease_of(member);
        self.earliest = self.earliest.min(until);
        let member = Arc::clone(member);
        self.sessions
            .insert(self.last_session, Session { member, until });
        self.last_session
    }

    /// As [`Session::acquire`](crate::Session::acquire).
    ///
    /// # Errors
    ///
    /// If there is no such session.
    pub fn acquire(
        &mut self,
        now: u64,
        session: u64,
        claim: &Claim,
        asked: Asked,
    ) -> Result<Answer, NoSession> {
        let (member, until) = self.enter(now, session)?;
        let lock = self.locks.entry(claim.name.clone()).or_default();
        let mut holders = lock.holders.iter_mut();
        if let Some(hold) = holders.find(|hold| hold.nonce == claim.nonce) {
            (hold.until, hold.session) = (until, session);
            return Ok(Answer::Granted(hold.fence));
        }
        if lock.is_free_for(claim) {
            lock.queue.retain(|place| place.nonce != claim.nonce);
            self.last_fence += 1;
            let fence = self.last_fence;
            let taken = taken(&member, claim, fence);
            lock.holders.push(Hold {
                nonce: claim.nonce,
                session,
                until,
                shared: claim.shared,
                fence,
                prefix: member.prefix.clone(),
                taken,
            });
            return Ok(Answer::Granted(fence));
        }
        if asked == Asked::Waiting {
            lock.join(claim, session, until);
        }
        let first = lock.holders.first();
        Ok(Answer::Busy(first.map(|hold| lock.told_of(hold))))
    }

    /// Whether it is worth to ask again for a claim that waits.
    ///
    /// # Errors
    ///
    /// If there is no such session.
    pub fn is_freed(&mut self, now: u64, session: u64, claim: &Claim) -> Result<bool, NoSession> {
        self.enter(now, session)?;
        let Some(lock) = self.locks.get(&claim.name) else {
            return Ok(true);
        };
        let waits = lock.queue.iter().any(|place| place.nonce == claim.nonce);
        Ok(!waits || lock.is_free_for(claim))
    }

    /// As [`Session::release`](crate::Session::release).
    ///
    /// # Errors
    ///
    /// If there is no such session.
    pub fn release(&mut self, now: u64, session: u64, claim: &Claim) -> Result<bool, NoSession> {
        self.enter(now, session)?;
        let Some(lock) = self.locks.get_mut(&claim.name) else {
            return Ok(false);
        };
        let holders = lock.holders.len();
        lock.holders.retain(|hold| hold.nonce != claim.nonce);
        lock.queue.retain(|place| place.nonce != claim.nonce);
        let was_held = lock.holders.len() < holders;
        if lock.is_unused() {
            self.locks.remove(&claim.name);
        }
        Ok(was_held)
    }

    /// As [`Session::renew`](crate::Session::renew).
    ///
    /// # Errors
    ///
    /// If there is no such session.
    pub fn renew(
        &mut self,
        now: u64,
        session: u64,
        claims: &[Arc<Claim>],
    ) -> Result<Kept, NoSession> {
        let (member, until) = self.enter(now, session)?;
        if self.one_lease {
            self.prolong(session, now + lease_of(&member));
            return Ok(Kept::All);
        }
        let mut lost = Vec::new();
        for (number, claim) in claims.iter().enumerate() {
            let lock = self.locks.get_mut(&claim.name);
            let holders = lock.into_iter().flat_map(|lock| &mut lock.holders);
            match { holders }.find(|hold| hold.nonce == claim.nonce) {
                Some(hold) => (hold.until, hold.session) = (until, session),
                None => lost.push(number),
            }
        }
        Ok(if lost.is_empty() {
            Kept::All
        } else {
            Kept::AllBut(lost)
        })
    }

    /// As [`Session::holders`](crate::Session::holders).
    ///
    /// # Errors
    ///
    /// If there is no such session.
    pub fn holders(
        &mut self,
        now: u64,
        session: u64,
        query: Query<'_>,
    ) -> Result<Vec<Taken>, NoSession> {
        let (member, _) = self.enter(now, session)?;
        let is_asked_for = |hold: &Hold| match query {
            Query::Name(name) => hold.taken.name == name,
            Query::All => hold.prefix == member.prefix,
        };
        let holders = self.locks.values().flat_map(|lock| {
            let holders = lock.holders.iter();
            holders.map(move |hold| (lock, hold))
        });
        let asked_for = holders.filter(|(_, hold)| is_asked_for(hold));
        Ok(asked_for.map(|(lock, hold)| lock.told_of(hold)).collect())
    }

    /// Whether there is such a session.
    #[must_use]
    pub fn has(&mut self, now: u64, session: u64) -> bool {
        self.pass(now);
        self.sessions.contains_key(&session)
    }

    /// Ends a session, and with it what it holds, if there is one lease for that.
    pub fn close(&mut self, session: u64) {
        self.sessions.remove(&session);
        if self.one_lease {
            self.retain(|of, _| of != session);
        }
    }

    /// Ends the holds of a name, as an operator would. Gives their nonces, and the sessions that
    /// are to be told.
    pub fn lose(&mut self, name: &str) -> Vec<(u64, u128)> {
        let Some(lock) = self.locks.get_mut(name) else {
            return Vec::new();
        };
        let lost = lock.holders.drain(..);
        let lost = lost.map(|hold| (hold.session, hold.nonce)).collect();
        if lock.is_unused() {
            self.locks.remove(name);
        }
        lost
    }

    /// Begins anew, without sessions; with its locks and their leases, or without. Fences go on.
    pub fn restart(&mut self, keep: bool) {
        self.sessions.clear();
        if !keep {
            self.locks.clear();
        }
    }

    /// A moment before which no lease is over.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        (self.earliest < u64::MAX).then_some(self.earliest)
    }

    /// Whether somebody has a lock, or waits for one.
    #[cfg(test)]
    pub(crate) fn is_in_use(&self) -> bool {
        !self.locks.is_empty()
    }

    /// The nonces of those who have the lock of a name.
    pub fn held_by(&mut self, now: u64, name: &str) -> Vec<u128> {
        self.pass(now);
        let lock = self.locks.get(name);
        let holders = lock.into_iter().flat_map(|lock| &lock.holders);
        holders.map(|hold| hold.nonce).collect()
    }

    /// Ends all whose lease is over.
    fn pass(&mut self, now: u64) {
        if now < self.earliest {
            return;
        }
        if self.one_lease {
            self.sessions.retain(|_, session| session.until > now);
        }
        self.retain(|_, until| until > now);
        let sessions = self.sessions.values().map(|session| session.until);
        let sessions = sessions.filter(|_| self.one_lease);
        let held = self.locks.values().flat_map(|lock| {
            let holders = lock.holders.iter().map(|hold| hold.until);
            holders.chain(lock.queue.iter().map(|place| place.until))
        });
        self.earliest = sessions.chain(held).min().unwrap_or(u64::MAX);
    }

    /// A question of a session: whose it is, and until when a lease is from now on.
    fn enter(&mut self, now: u64, session: u64) -> Result<(Arc<Member>, u64), NoSession> {
        self.pass(now);
        let Session { member, until } = self.sessions.get(&session).ok_or(NoSession)?;
        let until = if self.one_lease {
            *until
        } else {
            now + lease_of(member)
        };
        self.earliest = self.earliest.min(until);
        Ok((Arc::clone(member), until))
    }

    /// Renews the lease of a session.
    fn prolong(&mut self, session: u64, until: u64) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.until = until;
        }
        for lock in self.locks.values_mut() {
            let holders = lock.holders.iter_mut();
            for hold in holders.filter(|hold| hold.session == session) {
                hold.until = until;
            }
            let queue = lock.queue.iter_mut();
            for place in queue.filter(|place| place.session == session) {
                place.until = until;
            }
        }
    }

    /// Ends what is not to be kept, by its session and the end of its lease.
    fn retain(&mut self, is_kept: impl Fn(u64, u64) -> bool) {
        self.locks.retain(|_, lock| {
            lock.holders
                .retain(|hold| is_kept(hold.session, hold.until));
            lock.queue
                .retain(|place| is_kept(place.session, place.until));
            !lock.is_unused()
        });
    }
}

impl Lock {
    /// Whether a claim can have it: those who have it share it, and nobody is before it in the
    /// queue.
    fn is_free_for(&self, claim: &Claim) -> bool {
        let shares = |is_shared: bool| is_shared && claim.shared;
        let is_first = || {
            let mut before = self.queue.iter();
            let mut before = before
                .by_ref()
                .take_while(|place| place.nonce != claim.nonce);
            before.all(|place| shares(place.shared))
        };
        self.holders.iter().all(|hold| shares(hold.shared)) && is_first()
    }

    /// Joins the queue, or keeps its place.
    fn join(&mut self, claim: &Claim, session: u64, until: u64) {
        let mut queue = self.queue.iter_mut();
        if let Some(place) = queue.find(|place| place.nonce == claim.nonce) {
            (place.until, place.session) = (until, session);
            return;
        }
        self.queue.push(Place {
            nonce: claim.nonce,
            session,
            until,
            shared: claim.shared,
        });
    }

    /// What is told of a holder.
    fn told_of(&self, hold: &Hold) -> Taken {
        Taken {
            waiting: self.queue.len(),
            ..hold.taken.clone()
        }
    }

    fn is_unused(&self) -> bool {
        self.holders.is_empty() && self.queue.is_empty()
    }
}

fn taken(member: &Member, claim: &Claim, fence: u64) -> Taken {
    Taken {
        name: claim.name.clone(),
        key: Some(claim.key.clone()),
        host: Some(member.host.clone()),
        pid: Some(member.pid),
        command: Some(member.command.clone()),
        site: Some(claim.site.clone()),
        since: Some(claim.since),
        fence: Some(fence),
        waiting: 0,
    }
}

fn lease_of(member: &Member) -> u64 {
    u64::try_from(member.lease.as_nanos()).unwrap_or(u64::MAX / 2)
}
