//! Whether guards are given to those alone who have all that they wish, and say what is so.

use super::asker::{Asker, Doing};
use super::checker::{Given, SLACK};
use super::claim::{BadNews, State};
use super::schedule::name;
use super::world::World;
use lockutils::{AsyncLeaseGuard, Fence};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

impl World {
    /// Looks at a guard that an asker is given now.
    pub(super) fn look_at_given(&mut self, asker: usize, guard: &AsyncLeaseGuard) {
        let claims = self.claims_of(asker, guard);
        let Some((last, before)) = claims.split_last() else {
            let wrong = format!("asker {asker} is given a guard of what it doesn't have");
            return self.checker.fail(wrong);
        };
        let now = self.clock(self.askers[asker].wish.process);
        // The last one may have been lost since it was granted. Those before it were had when that was, or others may
        // have had them already; and so is one that others of the process share with it.
        let others = self.claims[*last].asker != asker;
        let mut had = before.iter().chain(others.then_some(last));
        if let Some(lost) = had.find(|claim| self.time_left(**claim, now) == 0) {
            let wrong = format!("asker {asker} is given a guard, and claim {lost} was lost");
            self.checker.fail(wrong);
        }
        if !before.is_empty() {
            self.count("several together");
        }
        let fence = guard.fence().get();
        let fences = claims.iter().map(|claim| self.checker.holds[claim].fence);
        if fences.max() != Some(fence) {
            let wrong = format!("asker {asker} has the fence {fence}, which isn't the greatest");
            self.checker.fail(wrong);
        }
        if self.setting.has_fences_by_grant() {
            let given = Given {
                asker,
                claims,
                fence,
            };
            let revoked = &self.server.revoked;
            self.checker.given(given, |nonce| revoked.contains(&nonce));
        }
    }

    /// Guards say what is so.
    pub(super) fn look_at_guards(&mut self, process: usize, now: u64) {
        let life = self.processes[process].life;
        for (number, asker) in self.askers.iter().enumerate() {
            let Doing::Holding { guard, claims, .. } = &asker.doing else {
                continue;
            };
            if asker.wish.process != process || asker.life != life {
                continue;
            }
            let times = claims.iter().map(|claim| self.time_left(*claim, now));
            let left = times.min().unwrap_or(0);
            let mut context = Context::from_waker(Waker::noop());
            let is_told = pin!(guard.lost()).poll(&mut context).is_ready();
            let losses = [guard.is_lost(), guard.check().is_err(), is_told];
            let valid_for = guard.valid_for();
            if valid_for != Duration::from_nanos(left) || losses != [left == 0; 3] {
                let wrong = format!(
                    "the guard of asker {number} says {valid_for:?}, {losses:?} with {left} ns left"
                );
                return self.checker.fail(wrong);
            }
        }
    }

    /// Who goes when a lock is lost has been called when one was.
    pub(super) fn look_who_was_called(&mut self, asker: usize) {
        let Doing::Holding { claims, since, .. } = &self.askers[asker].doing else {
            return;
        };
        let claims = claims.iter().map(|claim| &self.claims[*claim]);
        let lost = claims.filter(|claim| claim.is_told_of(BadNews::Loss));
        let called = lost.map(|claim| claim.since.max(*since)).min();
        // It may have been busy with something else for as long as a lease, and the clocks differ.
        let lease = self.setting.lease;
        let now = self.clock(self.askers[asker].wish.process);
        let late = now.saturating_sub(lease + lease / 10 + SLACK);
        if self.askers[asker].wish.heeds_loss && called.is_some_and(|called| called < late) {
            let wrong = format!("asker {asker} isn't called when a lock is lost");
            self.checker.fail(wrong);
        }
    }

    /// Who has released a lock isn't told any more that it is lost, as it may be for others of the process.
    pub(super) fn look_for_late_news(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        for (asker, lost) in &mut self.over {
            if Pin::new(lost).poll(&mut context).is_ready() {
                let wrong = format!("asker {asker} is told of a loss after its release");
                return self.checker.fail(wrong);
            }
        }
    }

    /// In no process anybody has or wants a lock, so that it is to be asked for outside.
    pub(super) fn look_for_keepers(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        for (number, process) in self.processes.iter().enumerate() {
            let names = (0..self.setting.names).map(name);
            let kept = names.filter(|name| {
                let trying = pin!(process.space.key(name).try_lock_async());
                trying.poll(&mut context).is_ready()
            });
            if let Some(name) = { kept }.next() {
                let wrong = format!("process {number} keeps {name:?} in its own queue");
                return self.checker.fail(wrong);
            }
        }
    }

    /// How long a claim is held if it isn't renewed, by the clock of its process; zero if it is lost.
    fn time_left(&self, claim: usize, now: u64) -> u64 {
        let hold = &self.checker.holds[&claim];
        let end = if hold.is_had { hold.deadline } else { 0 };
        end.saturating_sub(now)
    }

    /// Whether an asker knows of trouble with the server.
    pub(super) fn is_told_of_trouble(&self, asker: usize) -> bool {
        let mut claims = self.claims.iter();
        claims.any(|claim| claim.asker == asker && claim.is_told_of(BadNews::Trouble))
    }

    /// Whether one of the locks is known to be lost that an asker has, or one that others of its process
    /// share with it.
    pub(super) fn is_told_of_loss(&self, asker: usize) -> bool {
        let Asker { wish, life, .. } = &self.askers[asker];
        let now = self.clock(wish.process);
        let mut claims = self.claims.iter().enumerate();
        claims.any(|(number, claim)| {
            let is_here = claim.process == wish.process && claim.life == *life;
            let is_its = claim.asker == asker || wish.is_shared && claim.is_shared;
            let is_held = is_here && is_its && claim.state == State::Holding;
            is_held && wish.names.contains(&claim.name) && self.time_left(number, now) == 0
        })
    }

    /// The claims of the locks that a guard has, in its order. In a process those who share a lock have it by one
    /// claim, and no two claims have one fence.
    pub(super) fn claims_of(&self, asker: usize, guard: &AsyncLeaseGuard) -> Vec<usize> {
        let asker = &self.askers[asker];
        let mut names = asker.wish.names.clone();
        names.sort_unstable();
        names.dedup();
        let locks = names.iter().zip(guard.fences());
        let claim = |(name, fence): (&u64, &Fence)| {
            let mut holds = self.checker.holds.iter();
            let found = holds.find(|(claim, hold)| {
                let claim = &self.claims[**claim];
                let is_here = claim.process == asker.wish.process && claim.life == asker.life;
                let is_held = is_here && claim.state == State::Holding;
                is_held && hold.name == *name && hold.fence == fence.get()
            });
            Some(*found?.0)
        };
        let claims: Option<Vec<usize>> = locks.map(claim).collect();
        let claims = claims.unwrap_or_default();
        if claims.len() == names.len() && guard.fences().len() == names.len() {
            claims
        } else {
            Vec::new()
        }
    }
}
