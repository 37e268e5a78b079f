//! What must be true at every instant.
//!
//! A process believes that it has a lock from when it is told so until it releases it, is told that it is
//! lost, or its own clock has reached the deadline. Nobody has to look at it for that to end, so beliefs can
//! only overlap from when one begins.

use crate::protocol::Call;
use std::collections::BTreeMap;

/// What may pass between what is due and somebody being told so: timers are late.
pub(super) const SLACK: u64 = 60 * super::schedule::MILLISECOND;

/// What a claim is believed to have.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) process: usize,
    pub(super) name: u64,
    pub(super) shared: bool,
    pub(super) fence: u64,
    /// By the clock of the process.
    pub(super) deadline: u64,
    /// How many times the server had lost its data when it gave it.
    pub(super) epoch: u64,
    /// Neither released nor known to be lost.
    pub(super) is_had: bool,
    pub(super) nonce: u128,
    pub(super) session: Call,
}

/// A guard that somebody was given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) asker: usize,
    pub(super) claims: Vec<usize>,
    /// The greatest of all its locks.
    pub(super) fence: u64,
}

/// Claims that were asked for, and have to be released.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) session: Call,
    /// When it was asked for last, by the clock of the process.
    pub(super) since: u64,
}

#[derive(Debug, Default)]
pub(super) struct Checker {
    /// By claim.
    pub(super) holds: BTreeMap<usize, Hold>,
    pub(super) guards: Vec<Given>,
    pub(super) owed: BTreeMap<(usize, u128), Owed>,
    /// What is wrong, and was first.
    pub(super) wrong: Option<String>,
}

impl Checker {
    pub(super) fn fail(&mut self, what: String) {
        self.wrong.get_or_insert(what);
    }

    /// Somebody is told that it has a lock. `clock` is what that of a process says now.
    pub(super) fn granted(
        &mut self,
        claim: usize,
        hold: Hold,
        clock: impl Fn(usize) -> u64,
        is_revoked: impl Fn(u128) -> bool,
    ) {
        let believes = |hold: &Hold| hold.is_had && clock(hold.process) < hold.deadline;
        // Nobody can know yet of what was taken away.
        if believes(&hold) && !is_revoked(hold.nonce) {
            for (&other, held) in &self.holds {
                if held.name != hold.name {
                    continue;
                }
                let was_taken = held.epoch != hold.epoch || is_revoked(held.nonce);
                let goes_together = held.shared && hold.shared;
                if believes(held) && !goes_together && !was_taken {
                    self.wrong.get_or_insert(format!(
                        "claim {claim} is told that it has the lock while claim {other} is believed to have it"
                    ));
                }
                // Two who share may be told in another order than they got it, and so may one whom the
                // server has forgotten since.
                let is_told_late = goes_together || hold.epoch < held.epoch;
                if !believes(held) && !is_told_late && held.fence >= hold.fence {
                    self.wrong.get_or_insert(format!(
                        "claim {claim} gets fence {}, and claim {other} had {} before",
                        hold.fence, held.fence
                    ));
                }
            }
        }
        self.holds.insert(claim, hold);
    }

    /// Somebody is given a guard. Where two have a lock one after the other, the greatest fence of the later one is the
    /// greater, whatever else they have: so what is written with the other fence is refused.
    pub(super) fn given(&mut self, given: Given, is_revoked: impl Fn(u128) -> bool) {
        for other in &self.guards {
            let locks = other.claims.iter().map(|claim| &self.holds[claim]);
            for one in locks {
                let own = given.claims.iter().map(|claim| &self.holds[claim]);
                let Some(two) = { own }.find(|own| own.name == one.name) else {
                    continue;
                };
                let goes_together = one.nonce == two.nonce || one.shared && two.shared;
                let was_taken =
                    one.epoch != two.epoch || is_revoked(one.nonce) || is_revoked(two.nonce);
                let is_in_order = (one.fence < two.fence) == (other.fence < given.fence);
                if !goes_together && !was_taken && !is_in_order {
                    self.wrong.get_or_insert(format!(
                        "asker {} has {} of lock {} and {} as the greatest, asker {} had {} and {}",
                        given.asker,
                        two.fence,
                        two.name,
                        given.fence,
                        other.asker,
                        one.fence,
                        other.fence
                    ));
                }
            }
        }
        self.guards.push(given);
    }

    /// Somebody is told that its lease goes on.
    pub(super) fn renewed(&mut self, claim: usize, deadline: u64, clock: u64) {
        match self.holds.get_mut(&claim) {
            Some(hold) if hold.is_had && clock < hold.deadline => hold.deadline = deadline,
            _ => self.fail(format!("claim {claim} is had again that was lost")),
        }
    }

    pub(super) fn ended(&mut self, claim: usize) {
        if let Some(hold) = self.holds.get_mut(&claim) {
            hold.is_had = false;
        }
    }

    /// What somebody believes to have can't be of a lease that its process knows to be over.
    pub(super) fn is_lost(&mut self, what: &str, is_of_it: impl Fn(&Hold) -> bool) {
        for (claim, hold) in &self.holds {
            if hold.is_had && is_of_it(hold) {
                let wrong = format!("nobody is told of the loss of claim {claim}: {what}");
                self.wrong.get_or_insert(wrong);
            }
        }
    }

    /// A process has dealt with something, or has died.
    pub(super) fn process_at(&mut self, process: usize, clock: u64) {
        self.is_lost("its lease is over", |hold| {
            hold.process == process && clock > hold.deadline + SLACK
        });
    }

    pub(super) fn died(&mut self, process: usize) {
        self.owed.retain(|(owing, _), _| *owing != process);
        for hold in self.holds.values_mut() {
            hold.is_had &= hold.process != process;
        }
    }
}
