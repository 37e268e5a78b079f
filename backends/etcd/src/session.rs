//! What is asked of the server.
//!
//! A claim's key, `name/LEASE.NUMBER`, is put by a transaction; of the keys of a lock the one that was
//! created first has it, and its create revision is the fencing token, which a transaction can compare with that of the
//! key. The revision at which the keys before it were gone would be known as well, and the greatest of several locks
//! would grow by it whoever takes which; but no transaction could look for it. Who tries puts its key only
//! if there is none; who waits puts it in any case, and watches those before it: when they are gone,
//! it has the lock, see `line.rs`.
//! A release deletes the key if it has the value of the claim, which no other one has, so that one that
//! comes twice harms nobody; else it leaves a mark, on which an acquisition that comes late founders, see `marks.rs`.

use lockutils_remote::{
    Answer, Asked, Claim, Fault, Freed, Kept, Loss, Member, Query, Session, Taken,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tonic::{Response, Status};

use crate::ask;
use crate::fault;
use crate::holds::Holds;
use crate::line::{Line, MAX_WATCHED, Turn};
use crate::link::{Kind, Link};
use crate::marks::Marks;
use crate::name;
use crate::places::{Place, Places};
use crate::proto::lease_client::LeaseClient;
use crate::proto::{
    KeyValue, LeaseGrantRequest, LeaseKeepAliveRequest, LeaseRevokeRequest, RangeRequest,
    RangeResponse, RequestOp, TxnResponse,
};
use crate::watch::Watches;

/// After so long, who waits asks again, although nothing was told: the server may have failed to.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// A lease, and the way to the cluster.
pub struct EtcdSession {
    member: Arc<Member>,
    link: Arc<Link>,
    lease: i64,
    ttl: Duration,
    watches: Arc<Watches>,
    holds: Holds,
    places: Places,
    marks: Marks,
}

/// What has been deleted of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deleted {
    /// It had no key.
    Nothing,
    /// Its place in the queue.
    Waiting,
    /// The lock.
    First,
}

impl EtcdSession {
    /// Gets a lease, and puts the process's own key under it.
    pub(crate) async fn open(member: &Arc<Member>, link: Arc<Link>) -> Result<Self, Fault> {
        let seconds = member.lease.as_secs() + u64::from(member.lease.subsec_nanos() > 0);
        let wanted = LeaseGrantRequest {
            ttl: i64::try_from(seconds).unwrap_or(i64::MAX),
        };
        let grant = link
            .ask(Kind::Take, wanted, |channel, request| async {
                LeaseClient::new(channel).lease_grant(request).await
            })
            .await?;
        if !grant.error.is_empty() {
            return Err(Fault::NotDone(format!("etcd says: {}", grant.error).into()));
        }
        let own = name::member(&member.prefix, grant.id);
        let put = ask::put(own.clone(), member.record().into(), grant.id);
        ask::txn(&link, Kind::Take, vec![], vec![put], vec![]).await?;
        Ok(Self {
            member: member.clone(),
            watches: Arc::new(Watches::new(link.clone(), own)),
            holds: Holds::new(),
            link,
            lease: grant.id,
            ttl: Duration::from_secs(grant.ttl.try_into().unwrap_or_default()),
            places: Places::default(),
            marks: Marks::default(),
        })
    }

    /// The keys that tell about a claim: its own, and the mark that it is done with.
    fn keys(&self, claim: &Claim, place: Place) -> (Vec<u8>, Vec<u8>) {
        let own = name::claim(&claim.name, self.lease, place.number);
        (
            own,
            name::done(&self.member.prefix, self.lease, claim.nonce),
        )
    }

    /// The value of its own key.
    fn value(&self, claim: &Claim) -> Vec<u8> {
        format!("nonce: {:x}\n{}", claim.nonce, claim.record(&self.member)).into()
    }

    /// Takes the lock if nobody has it.
    async fn take(&self, claim: &Claim, place: Place) -> Result<Answer, Fault> {
        let ((own, done), value) = (self.keys(claim, place), self.value(claim));
        let all = name::under(&claim.name);
        let put = ask::put(own.clone(), value.clone(), self.lease);
        let free = vec![ask::if_none(all.clone()), ask::if_none((done, vec![]))];
        let busy = vec![ask::get(ask::oldest(all))];
        let answer = ask::txn(&self.link, Kind::Take, free, vec![put], busy).await?;
        if answer.succeeded {
            return fence(revision(&answer)).map(Answer::Granted);
        }
        match ask::first(ask::gotten(answer).next()) {
            Some((first, _)) if first.key == own && first.value == value => {
                fence(first.create_revision).map(Answer::Granted)
            }
            Some((first, count)) => Ok(Answer::Busy(taken(&first, count))),
            None => Err(done_with()),
        }
    }

    /// Joins the queue of the lock.
    async fn join(&self, claim: &Claim, place: Place) -> Result<Answer, Fault> {
        let ((own, done), value) = (self.keys(claim, place), self.value(claim));
        let put = ask::put(own.clone(), value.clone(), self.lease);
        let new = vec![
            ask::if_none((own.clone(), vec![])),
            ask::if_none((done, vec![])),
        ];
        let front = front(claim);
        let own = RangeRequest {
            keys_only: false,
            ..ask::one(own)
        };
        let old = vec![ask::get(own), front.clone()];
        let answer = ask::txn(&self.link, Kind::Take, new, vec![put, front], old).await?;
        let (succeeded, revision) = (answer.succeeded, revision(&answer));
        let mut gotten = ask::gotten(answer);
        let created = if succeeded {
            revision
        } else {
            let own = ask::first(gotten.next()).filter(|(own, _)| own.value == value);
            own.ok_or_else(done_with)?.0.create_revision
        };
        self.places.set(claim, Some(created));
        self.place_of(claim, created, revision, gotten.next())
    }

    /// Keeps its place in the queue of the lock, or joins it.
    async fn queue(&self, claim: &Claim, place: Place) -> Result<Answer, Fault> {
        if let Some(created) = place.created {
            if let Some(answer) = self.look(claim, place, created).await? {
                return Ok(answer);
            }
            // Somebody has deleted its key by hand.
            self.places.set(claim, None);
        }
        self.join(claim, place).await
    }

    /// Looks where in the queue the claim is; `None` if it isn't there.
    async fn look(
        &self,
        claim: &Claim,
        place: Place,
        created: i64,
    ) -> Result<Option<Answer>, Fault> {
        let (own, _done) = self.keys(claim, place);
        let both = vec![ask::get(ask::one(own)), front(claim)];
        let answer = ask::txn(&self.link, Kind::Take, vec![], both, vec![]).await?;
        let seen_at = revision(&answer);
        let mut gotten = ask::gotten(answer);
        match ask::first(gotten.next()) {
            Some((own, _)) if own.create_revision == created => {
                let answer = self.place_of(claim, created, seen_at, gotten.next());
                answer.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Where a claim's key is that was created then, by the oldest ones of the lock, as they were seen.
    fn place_of(
        &self,
        claim: &Claim,
        created: i64,
        seen_at: i64,
        front: Option<RangeResponse>,
    ) -> Result<Answer, Fault> {
        let oldest = front.as_ref().map_or(&[][..], |front| &front.kvs);
        self.places.wait(claim, Line::of(created, oldest, seen_at));
        match ask::first(front) {
            Some((first, _)) if first.create_revision == created => {
                fence(created).map(Answer::Granted)
            }
            Some((first, count)) => Ok(Answer::Busy(taken(&first, count))),
            None => Err(Fault::Unknown("etcd's answer has no key".into())),
        }
    }

    /// Waits until a claim that isn't near the front may be so.
    async fn come_near(&self, claim: &Claim, created: i64) -> Result<(), Fault> {
        let before = ask::last_before(name::under(&claim.name), created, MAX_WATCHED);
        let before = ask::range(&self.link, Kind::Take, before).await?;
        let seen_at = before.header.map_or(0, |header| header.revision);
        if let Some(KeyValue { key, .. }) = before.kvs.into_iter().next_back() {
            self.watches.deleted(key, seen_at).await;
        }
        Ok(())
    }

    /// Deletes the key of a claim. Where it isn't there, leaves a mark that the claim is done with, if that is wanted.
    async fn delete(&self, claim: &Claim, place: Place, marks: bool) -> Result<Deleted, Fault> {
        let (own, done) = self.keys(claim, place);
        let there = vec![ask::if_value(own.clone(), self.value(claim))];
        let first = RangeRequest {
            keys_only: true,
            ..ask::oldest(name::under(&claim.name))
        };
        let delete = vec![ask::get(first), ask::delete(own.clone())];
        let now = Instant::now();
        let old = marks.then(|| self.marks.old(&done, now));
        let mark = old.iter().flat_map(|old| {
            let put = ask::put(done.clone(), vec![], self.lease);
            let deleted = old.iter().cloned().map(ask::delete);
            [put].into_iter().chain(deleted)
        });
        let mark = mark.collect();
        match ask::txn(&self.link, Kind::GiveBack, there, delete, mark).await {
            Ok(answer) if !answer.succeeded => {
                if let Some(old) = old {
                    self.marks.left(done, &old, now);
                }
                Ok(Deleted::Nothing)
            }
            Ok(answer) => match ask::first(ask::gotten(answer).next()) {
                Some((first, _)) if first.key == own => Ok(Deleted::First),
                _ => Ok(Deleted::Waiting),
            },
            // With the lease all of its keys have gone, and no question about it is of any use.
            Err(Fault::Over(_)) => Ok(Deleted::Nothing),
            Err(fault) => Err(fault),
        }
    }

    /// A claim has the lock, by its key, which was created at a revision.
    fn hold(&self, claim: &Claim, place: Place, created: i64) {
        let (own, _done) = self.keys(claim, place);
        let key = (own, created);
        self.holds
            .begin(claim.nonce, key, &self.link, &self.watches);
    }
}

impl Session for EtcdSession {
    fn lease(&self) -> Duration {
        self.ttl
    }

    async fn acquire(&self, claim: &Claim, asked: Asked) -> Result<Answer, Fault> {
        let place = self.places.take(claim);
        let answer = match asked {
            Asked::Once => self.take(claim, place).await,
            Asked::Waiting => self.queue(claim, place).await,
        };
        if matches!(answer, Ok(_) | Err(Fault::NotDone(_) | Fault::Refused(_))) {
            self.places.answered(claim);
        }
        match &answer {
            Ok(Answer::Granted(fence)) => {
                let created = i64::try_from(*fence).unwrap_or(i64::MAX - 1);
                self.hold(claim, place, created);
            }
            Ok(Answer::Busy(_)) if asked == Asked::Once => self.places.leave(claim),
            Err(Fault::NotDone(_)) if place.created.is_none() => self.places.leave(claim),
            // A database that has become full meanwhile refuses what it has done all the same.
            Err(Fault::Refused(_)) if place.created.is_none() => match self.release(claim).await {
                Ok(_) => {}
                Err(Fault::Refused(_)) => self.places.leave(claim),
                // Nobody knows, so it is released once more.
                Err(fault) => return Err(Fault::Unknown(fault.into_cause())),
            },
            _ => {}
        }
        answer
    }

    async fn freed(&self, claim: &Claim) -> Result<Freed, Fault> {
        let place = self.places.of(claim);
        let Some(created) = place.created else {
            return Ok(Freed::Ask);
        };
        let Some(line) = self.places.line(claim) else {
            let near = timeout(POLL_INTERVAL, self.come_near(claim, created)).await;
            return near.unwrap_or(Ok(())).map(|()| Freed::Ask);
        };
        let turn = self.watches.turn(name::under(&claim.name), line);
        if let Ok(Some(Turn::First)) = timeout(POLL_INTERVAL, turn).await {
            self.hold(claim, place, created);
            return fence(created).map(Freed::Granted);
        }
        Ok(Freed::Ask)
    }

    async fn release(&self, claim: &Claim) -> Result<bool, Fault> {
        self.holds.end(claim.nonce);
        let place = self.places.of(claim);
        // Nothing comes late where all is answered.
        let deleted = match self.delete(claim, place, place.is_asked).await {
            // A database that is full takes no mark.
            Err(Fault::Refused(_)) if place.is_asked => {
                let deleted = self.delete(claim, place, false).await?;
                if deleted == Deleted::Nothing {
                    self.places.leave_unmarked(claim);
                    return Ok(false);
                }
                deleted
            }
            deleted => deleted?,
        };
        self.places.leave(claim);
        Ok(deleted == Deleted::First)
    }

    async fn renew(&self, _claims: &[Arc<Claim>]) -> Result<Kept, Fault> {
        // Another node may answer before the lease is over.
        let patience = self.member.answer_timeout.min(self.ttl / 4);
        let id = self.lease;
        // A stream for one question: so no answer is ever taken for that of a later one.
        let renewal = self
            .link
            .ask_within(patience, (), |channel, request| async move {
                let request = request.map(|()| tokio_stream::once(LeaseKeepAliveRequest { id }));
                let answers = LeaseClient::new(channel).lease_keep_alive(request).await?;
                let answer = answers.into_inner().message().await?;
                answer
                    .map(Response::new)
                    .ok_or_else(|| Status::unknown("no answer"))
            });
        if renewal.await?.ttl <= 0 {
            Err(fault::over())
        } else {
            Ok(Kept::All)
        }
    }

    async fn lost(&self) -> Loss {
        tokio::select! {
            () = self.watches.gone() => Loss::Session(fault::over()),
            nonce = self.holds.lost() => Loss::Claim(nonce),
        }
    }

    async fn holders(&self, query: Query<'_>) -> Result<Vec<Taken>, Fault> {
        let keys = match query {
            Query::Name(name) => name::under(name),
            Query::All => name::all(&self.member.prefix),
        };
        let mut locks: Vec<Taken> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let keys = ask::range(&self.link, Kind::Look, ask::oldest_first(keys)).await?;
        for key in keys.kvs {
            let Some(holder) = taken(&key, 1) else {
                continue;
            };
            if let Some(&at) = known.get(&holder.name) {
                locks[at].waiting += 1;
            } else {
                known.insert(holder.name.clone(), locks.len());
                locks.push(holder);
            }
        }
        Ok(locks)
    }

    async fn close(&self) {
        let revoke = LeaseRevokeRequest { id: self.lease };
        // It expires, if need be.
        let _ = self
            .link
            .ask(Kind::GiveBack, revoke, |channel, request| async {
                LeaseClient::new(channel).lease_revoke(request).await
            })
            .await;
    }
}

/// The oldest keys of a lock, as many as a claim watches, and its own.
fn front(claim: &Claim) -> RequestOp {
    ask::get(RangeRequest {
        limit: MAX_WATCHED + 1,
        ..ask::oldest_first(name::under(&claim.name))
    })
}

fn fence(revision: i64) -> Result<u64, Fault> {
    let fence = revision.try_into();
    fence.map_err(|_| Fault::Unknown("etcd's answer has no revision".into()))
}

/// Who has the lock of a key, which is the first of so many.
fn taken(first: &KeyValue, count: usize) -> Option<Taken> {
    let name = name::of_claim(&first.key)?;
    Some(Taken {
        fence: first.create_revision.try_into().ok(),
        waiting: count.saturating_sub(1),
        ..Taken::read(name, &String::from_utf8_lossy(&first.value))
    })
}

fn done_with() -> Fault {
    Fault::NotDone("it was released before".into())
}

fn revision(answer: &TxnResponse) -> i64 {
    answer.header.map_or(0, |header| header.revision)
}
