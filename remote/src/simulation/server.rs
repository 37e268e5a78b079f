//! The server: what it knows, and what it says to who asks. It is as strict as a server may be: a lock
//! is another's in the moment in which its lease is over. In some runs it is the one that users have
//! in their tests, [`FakeServer`].

use super::schedule::{Queue, Setting, name};
use crate::fake::{FakeServer, NoSession};
use crate::store::{Answer, Asked, Claim, Freed, Kept, Member};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Server {
    setting: Setting,
    /// What is asked instead, and for whom.
    fake: Option<(FakeServer, Arc<Member>)>,
    /// When their leases are over, where these are the sessions'.
    sessions: BTreeMap<u64, u64>,
    /// Of each lock those who hold it, and behind them those who wait.
    locks: BTreeMap<String, Vec<Place>>,
    last_session: u64,
    last_fence: u64,
    /// How many times it has lost its data.
    pub(super) epoch: u64,
    /// Claims that were taken away before their lease was over, so that who has them can't know.
    pub(super) revoked: BTreeSet<u128>,
    /// What has changed since somebody looked.
    pub(super) changed: BTreeSet<String>,
}

#[derive(Debug)]
struct Place {
    nonce: u128,
    session: u64,
    shared: bool,
    fence: u64,
    /// When its lease is over, where it has its own; also that of who waits.
    until: u64,
    /// Waits to be handed the lock.
    waits: bool,
}

/// A claim that isn't known any more, and the session that it was asked for in.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) nonce: u128,
    pub(super) session: u64,
}

impl Place {
    /// Whether a claim can't have the lock together with it.
    fn is_in_the_way_of(&self, claim: &Claim) -> bool {
        !self.waits && self.nonce != claim.nonce && !(self.shared && claim.shared)
    }

    fn gone(&self) -> Gone {
        Gone {
            nonce: self.nonce,
            session: self.session,
        }
    }
}

impl Server {
    pub(super) fn new(setting: Setting) -> Self {
        let member = Member {
            prefix: String::new(),
            lease: Duration::from_nanos(setting.lease),
            answer_timeout: Duration::from_nanos(setting.answer_timeout),
            host: String::new(),
            pid: 0,
            command: String::new(),
            is_for_another: false,
        };
        let fake = FakeServer::new(setting.shape.one_lease);
        Self {
            fake: setting.is_fake.then(|| (fake, Arc::new(member))),
            setting,
            sessions: BTreeMap::new(),
            locks: BTreeMap::new(),
            last_session: 0,
            last_fence: 0,
            epoch: 0,
            revoked: BTreeSet::new(),
            changed: BTreeSet::new(),
        }
    }

    pub(super) fn open(&mut self, now: u64) -> u64 {
        if let Some((fake, member)) = &mut self.fake {
            return fake.open(now, member);
        }
        self.last_session += 1;
        let end = now + self.setting.lease;
        self.sessions.insert(self.last_session, end);
        self.last_session
    }

    pub(super) fn acquire(
        &mut self,
        now: u64,
        session: u64,
        claim: &Claim,
        asked: Asked,
    ) -> Result<Answer, NoSession> {
        if let Some((fake, _)) = &mut self.fake {
            self.revoked.remove(&claim.nonce);
            return fake.acquire(now, session, claim, asked);
        }
        self.look_for(session)?;
        let one_lease = self.setting.shape.one_lease;
        let end = now + self.setting.lease;
        let places = self.locks.entry(claim.name.clone()).or_default();
        let conflicts = places.iter().any(|place| place.is_in_the_way_of(claim));
        let place = find(places, one_lease, session, claim);
        if let Some(place) = place {
            let place = &mut places[place];
            (place.until, place.session) = (end, session);
            if place.waits && !conflicts {
                self.last_fence += 1;
                (place.waits, place.fence) = (false, self.last_fence);
            }
        } else {
            let queues = self.setting.queue != Queue::None;
            if conflicts && !(queues && asked == Asked::Waiting) {
                return Ok(Answer::Busy(None));
            }
            self.last_fence += 1;
            self.revoked.remove(&claim.nonce);
            places.push(Place {
                nonce: claim.nonce,
                session,
                shared: claim.shared,
                fence: self.last_fence,
                until: end,
                waits: conflicts && self.setting.queue == Queue::HandedOver,
            });
        }
        let place = place.unwrap_or(places.len() - 1);
        Ok(if holds(places, place) {
            Answer::Granted(places[place].fence)
        } else {
            Answer::Busy(None)
        })
    }

    /// Whether a wait is over.
    pub(super) fn freed(&mut self, now: u64, session: u64, claim: &Claim) -> Option<Freed> {
        if let Some((fake, _)) = &mut self.fake {
            let freed = fake.is_freed(now, session, claim).unwrap_or(false);
            return freed.then_some(Freed::Ask);
        }
        if self.setting.queue == Queue::HandedOver {
            let places = self.locks.get(&claim.name).into_iter().flatten();
            let mut granted = places.filter(|place| !place.waits);
            return match granted.clone().find(|place| place.nonce == claim.nonce) {
                Some(mine) => Some(Freed::Granted(mine.fence)),
                None => (!granted.any(|place| place.is_in_the_way_of(claim))).then_some(Freed::Ask),
            };
        }
        let told = self.place_of(session, claim);
        self.is_free(session, claim).then_some(match told {
            Some(place) if self.setting.queue == Queue::Told => Freed::Granted(place.fence),
            _ => Freed::Ask,
        })
    }

    fn place_of(&self, session: u64, claim: &Claim) -> Option<&Place> {
        let places = self.locks.get(&claim.name)?;
        let place = find(places, self.setting.shape.one_lease, session, claim);
        place.map(|place| &places[place])
    }

    /// Whether it is worth to ask again.
    fn is_free(&self, session: u64, claim: &Claim) -> bool {
        let places = self.locks.get(&claim.name).map_or(&[][..], Vec::as_slice);
        let place = find(places, self.setting.shape.one_lease, session, claim);
        match place {
            Some(place) => holds(places, place),
            // It has lost its place, or nobody has one.
            None => {
                matches!(self.setting.queue, Queue::Fifo | Queue::Told)
                    || places.iter().all(|place| place.shared && claim.shared)
            }
        }
    }

    pub(super) fn release(
        &mut self,
        now: u64,
        session: u64,
        claim: &Claim,
    ) -> Result<bool, NoSession> {
        if let Some((fake, _)) = &mut self.fake {
            self.changed.insert(claim.name.clone());
            return fake.release(now, session, claim);
        }
        self.look_for(session)?;
        let Some(places) = self.locks.get_mut(&claim.name) else {
            return Ok(false);
        };
        let place = find(places, self.setting.shape.one_lease, session, claim);
        let Some(place) = place else { return Ok(false) };
        let held = holds(places, place);
        places.remove(place);
        if held && self.setting.queue == Queue::HandedOver {
            self.hand_over(now, &claim.name);
        }
        self.changed.insert(claim.name.clone());
        Ok(held)
    }

    /// Gives a lock to those who wait for it first, if they were connected when it looked last, and have asked
    /// within two thirds of a lease.
    fn hand_over(&mut self, now: u64, name: &str) {
        let places = self.locks.get_mut(name).expect("it was released");
        let last = now + self.setting.lease / 3;
        places.retain(|place| {
            let is_there = self.sessions.contains_key(&place.session) && place.until > last;
            !place.waits || is_there
        });
        let mut shared = places
            .iter()
            .filter(|place| !place.waits)
            .all(|place| place.shared);
        let mut is_free = places.iter().all(|place| place.waits);
        for place in places.iter_mut().filter(|place| place.waits) {
            if !(is_free || shared && place.shared) {
                return;
            }
            self.last_fence += 1;
            (place.waits, place.fence) = (false, self.last_fence);
            place.until = now + self.setting.lease;
            (is_free, shared) = (false, place.shared);
        }
    }

    pub(super) fn renew(
        &mut self,
        now: u64,
        session: u64,
        claims: &[Arc<Claim>],
    ) -> Result<Kept, NoSession> {
        if let Some((fake, _)) = &mut self.fake {
            return fake.renew(now, session, claims);
        }
        self.look_for(session)?;
        let end = now + self.setting.lease;
        self.sessions.insert(session, end);
        if self.setting.shape.one_lease {
            return Ok(Kept::All);
        }
        let mut lost = Vec::new();
        for (number, claim) in claims.iter().enumerate() {
            let places = self.locks.get_mut(&claim.name).into_iter().flatten();
            let mut mine = places.filter(|place| !place.waits && place.nonce == claim.nonce);
            match mine.next() {
                Some(place) => place.until = end,
                None => lost.push(number),
            }
        }
        Ok(if lost.is_empty() {
            Kept::All
        } else {
            Kept::AllBut(lost)
        })
    }

    /// Ends a session, and with it what is held in it where the lease is the session's.
    pub(super) fn close(&mut self, session: u64) -> Vec<Gone> {
        if let Some((fake, _)) = &mut self.fake {
            fake.close(session);
            self.changed.extend((0..self.setting.names).map(name));
        }
        self.sessions.remove(&session);
        if !self.setting.shape.one_lease {
            return Vec::new();
        }
        self.remove(|place| place.session == session)
    }

    /// Ends what is over, and tells what it was.
    pub(super) fn expire(&mut self, now: u64) -> Vec<Gone> {
        if let Some((fake, _)) = &mut self.fake {
            if fake.next().is_some_and(|end| end <= now) {
                fake.held_by(now, "");
                self.changed.extend((0..self.setting.names).map(name));
            }
            return Vec::new();
        }
        if !self.setting.shape.one_lease {
            return self.remove(|place| place.until <= now);
        }
        let over = self.sessions.iter().filter(|(_, end)| **end <= now);
        let over: Vec<u64> = over.map(|(session, _)| *session).collect();
        over.into_iter()
            .flat_map(|session| self.close(session))
            .collect()
    }

    /// When something is over next.
    pub(super) fn next_end(&self) -> Option<u64> {
        if let Some((fake, _)) = &self.fake {
            return fake.next();
        }
        if self.setting.shape.one_lease {
            return self.sessions.values().min().copied();
        }
        self.locks.values().flatten().map(|place| place.until).min()
    }

    /// Who is in the way of a claim, in the queue too. The server of users' tests doesn't say.
    pub(super) fn in_the_way(&self, claim: &Claim) -> Vec<Gone> {
        let places = self.locks.get(&claim.name).into_iter().flatten();
        let conflicts = places.filter(|place| place.is_in_the_way_of(claim));
        conflicts.map(Place::gone).collect()
    }

    /// When the lease of a claim is over, where that can be seen.
    pub(super) fn end_of(&self, nonce: u128) -> Option<u64> {
        let mut places = self.locks.values().flatten();
        let place = places.find(|place| place.nonce == nonce)?;
        if self.setting.shape.one_lease {
            return self.sessions.get(&place.session).copied();
        }
        Some(place.until)
    }

    /// Takes a lock away from all who hold it, or wait for it.
    pub(super) fn revoke(&mut self, name: &str) -> Vec<Gone> {
        if let Some((fake, _)) = &mut self.fake {
            let lost = fake.lose(name).into_iter();
            let lost: Vec<Gone> = lost
                .map(|(session, nonce)| Gone { nonce, session })
                .collect();
            self.revoked.extend(lost.iter().map(|gone| gone.nonce));
            self.changed.insert(name.to_owned());
            return lost;
        }
        let places = self.locks.remove(name).unwrap_or_default();
        self.revoked.extend(places.iter().map(|place| place.nonce));
        self.changed.insert(name.to_owned());
        places.iter().map(Place::gone).collect()
    }

    /// It starts again, with its data or without.
    pub(super) fn restart(&mut self, keep: bool) {
        if let Some((fake, _)) = &mut self.fake {
            fake.restart(keep);
        }
        if !keep {
            self.epoch += 1;
            self.locks.clear();
        }
        if !keep || self.setting.ends_with_connection {
            for session in self.sessions.keys().copied().collect::<Vec<_>>() {
                self.cut_off(session);
            }
        }
    }

    /// Ends a session whose process can't know it yet.
    pub(super) fn cut_off(&mut self, session: u64) {
        let lost = self.close(session);
        self.revoked.extend(lost.iter().map(|gone| gone.nonce));
    }

    /// Whether it knows any claim.
    pub(super) fn is_in_use(&self) -> bool {
        let fake = self.fake.as_ref();
        fake.is_some_and(|(fake, _)| fake.is_in_use())
            || self.locks.values().any(|places| !places.is_empty())
    }

    fn look_for(&self, session: u64) -> Result<(), NoSession> {
        let is_there = self.sessions.contains_key(&session);
        (is_there || !self.setting.shape.one_lease)
            .then_some(())
            .ok_or(NoSession)
    }

    fn remove(&mut self, is_over: impl Fn(&Place) -> bool) -> Vec<Gone> {
        let mut over = Vec::new();
        for (name, places) in &mut self.locks {
            places.retain(|place| {
                let is_over = is_over(place);
                if is_over {
                    over.push(place.gone());
                    self.changed.insert(name.clone());
                }
                !is_over
            });
        }
        over
    }
}

/// The place of a claim. What was asked for in another session is another one where the lease is the
/// session's.
fn find(places: &[Place], one_lease: bool, session: u64, claim: &Claim) -> Option<usize> {
    places
        .iter()
        .position(|place| place.nonce == claim.nonce && (!one_lease || place.session == session))
}

/// Whether nobody before it is in its way.
fn holds(places: &[Place], place: usize) -> bool {
    let Place { shared, waits, .. } = places[place];
    let mut before = places[..place].iter().filter(|before| !before.waits);
    !waits && before.all(|before| before.shared && shared)
}
