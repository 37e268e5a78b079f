//! Whether everybody has been told what concerns it, and in time.

use super::checker::SLACK;
use super::claim::{State, claim_of};
use super::process::{Request, Who};
use super::world::{Address, World};
use crate::protocol::{Call, Outcome};
use crate::store::{Claim, Fault};

/// Whom the server has refused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    /// The process.
    All,
    Claim(usize),
}

pub(super) fn refused(request: &Request, outcome: &Outcome) -> Option<Refused> {
    match (request, outcome) {
        (_, Outcome::Opened(Err(Fault::Refused(_)))) => Some(Refused::All),
        (Request::Acquire(claim, _), Outcome::Acquired(Err(Fault::Refused(_)))) => {
            Some(Refused::Claim(claim_of(claim.nonce)))
        }
        _ => None,
    }
}

impl World {
    /// Nobody waits without being told anything for longer than the server may be silent.
    pub(super) fn look_for_silence(&mut self, process: usize, now: u64) {
        let (timeout, lease) = (self.setting.answer_timeout, self.setting.lease);
        let life = self.processes[process].life;
        for (number, claim) in self.claims.iter().enumerate() {
            if claim.process != process || claim.life != life {
                continue;
            }
            let timeout = if self.setting.most < usize::MAX {
                // In line, as long as others are answered.
                timeout * 2 * (1 + self.setting.names)
            } else {
                timeout
            };
            let most = match claim.state {
                // It is asked again after that time at the latest.
                State::Asking if claim.was_busy => timeout + lease / 3,
                State::Asking | State::Releasing => timeout,
                State::Holding | State::Done => continue,
            };
            if now > claim.since + most + SLACK {
                let state = claim.state;
                self.checker
                    .fail(format!("claim {number} is {state:?}, and told nothing"));
            }
        }
        let lookers = self.processes[process].ids.values();
        let since = lookers.filter_map(|who| match who {
            Who::Looker(since) => Some(*since),
            Who::Claim(_) => None,
        });
        if since
            .min()
            .is_some_and(|since| now > since + timeout + SLACK)
        {
            self.checker
                .fail("somebody looks for holders, and is told nothing".to_owned());
        }
    }

    /// Who is refused is told so at once.
    pub(super) fn look_who_was_refused(&mut self, process: usize, refused: Refused) {
        let life = self.processes[process].life;
        let asks = self.claims.iter().enumerate().position(|(number, claim)| {
            let is_refused = match refused {
                Refused::All => claim.process == process && claim.life == life,
                Refused::Claim(refused) => number == refused,
            };
            is_refused && claim.state == State::Asking
        });
        let mut ids = self.processes[process].ids.values();
        let looks = matches!(refused, Refused::All) && ids.any(|who| matches!(who, Who::Looker(_)));
        if asks.is_some() || looks {
            let wrong = format!("the server refuses, which claim {asks:?} or a looker isn't told");
            self.checker.fail(wrong);
        }
    }

    /// What is held is renewed in a new session at once, since it may be lost.
    pub(super) fn look_for_renewal(&mut self, process: usize) {
        let calls = self.processes[process].calls.values();
        let renewed: Vec<u128> = calls
            .filter_map(|pending| match &pending.request {
                Request::Renew(claims) => Some(claims),
                _ => None,
            })
            .flatten()
            .map(|claim| claim.nonce)
            .collect();
        self.checker
            .is_lost("it is not renewed in a new session", |hold| {
                hold.process == process && !renewed.contains(&hold.nonce)
            });
    }

    /// The claims that are held, and not of a session.
    pub(super) fn believers(&self, process: usize, session: Call, now: u64) -> Vec<usize> {
        let holds = self.checker.holds.iter().filter(|(_, hold)| {
            let is_of_other = hold.process == process && hold.session != session;
            is_of_other && hold.is_had && now < hold.deadline
        });
        holds.map(|(claim, _)| *claim).collect()
    }

    /// The end of a session takes nothing away that isn't of it.
    pub(super) fn look_who_was_spared(&mut self, claims: &[usize]) {
        let lost = claims
            .iter()
            .find(|claim| !self.checker.holds[claim].is_had);
        if let Some(claim) = lost {
            let wrong = format!("claim {claim} is lost with a session that its lease isn't of");
            self.checker.fail(wrong);
        }
    }

    /// Who can't connect doesn't try as fast as it can.
    pub(super) fn look_for_pause(&mut self, process: usize, now: u64) {
        const MANY: u32 = 20;
        let (many, since) = &mut self.processes[process].in_vain;
        if *many == 0 {
            *since = now;
        }
        *many += 1;
        if *many > MANY && now - *since < 2_000_000_000 {
            let wrong = format!("process {process} connects again and again without a pause");
            self.checker.fail(wrong);
        }
    }

    /// Who tries isn't told that the lock is busy by what its own process has let go of.
    pub(super) fn look_who_is_in_the_way(&mut self, from: Address, session: u64, claim: &Claim) {
        let shape = self.setting.shape;
        let there = &self.processes[from.process];
        let calls = &there.calls;
        if there.life != from.life || !calls.contains_key(&from.call) {
            // It was called off, and comes late.
            return;
        }
        let asks = |nonce| {
            calls.values().any(|pending| match &pending.request {
                Request::Acquire(claim, _) => claim.nonce == nonce,
                _ => false,
            })
        };
        let others = self.server.in_the_way(claim);
        let is_own = |nonce: u128| {
            let claim = &self.claims[claim_of(nonce)];
            let hold = self.checker.holds.get(&claim_of(nonce));
            let is_known = hold.is_some_and(|hold| hold.nonce == nonce) || asks(nonce);
            // After a lease nobody repeats a release.
            let recent = self.now.saturating_sub(self.setting.lease / 4 * 3);
            let is_here = claim.process == from.process && claim.life == from.life;
            let has_left = matches!(claim.state, State::Done | State::Releasing);
            let is_asked_back = match self.released.get(&nonce) {
                Some((since, is_answered)) => shape.ordered || *is_answered || *since < recent,
                None => false,
            };
            is_here && is_known && has_left && claim.left > recent && !is_asked_back
        };
        let is_all_own = others
            .iter()
            .all(|other| (!shape.one_lease || other.session == session) && is_own(other.nonce));
        if is_all_own && !others.is_empty() {
            let nonces: Vec<u128> = others.iter().map(|other| other.nonce).collect();
            let wrong = format!("{from} is told that it is busy, by its own claims {nonces:?}");
            self.checker.fail(wrong);
        }
    }
}
