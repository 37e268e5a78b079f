//! What askers do, step by step; what that would tell their agent goes to the protocol.

use super::asker::{Asker, Doing};
use super::process::{Input, Step};
use super::schedule::MILLISECOND;
use super::world::World;
use crate::agent::Message;
use crate::store::Asked;
use lockutils::{AsyncLeaseGuard, Error, ErrorKind};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

impl World {
    /// Has an asker do something, and whoever is called by that.
    pub(super) fn step(&mut self, asker: usize, step: Step) {
        let process = self.askers[asker].wish.process;
        match (step, &self.askers[asker].doing) {
            (Step::Come, Doing::Asking(None)) => {
                let wish = &self.askers[asker].wish;
                let patience = wish.patience;
                let taking = self.processes[process].take(wish);
                self.askers[asker].doing = Doing::Asking(Some(taking));
                if let Some(patience) = patience {
                    self.input(patience, process, Input::Step(asker, Step::GiveUp));
                }
                self.poll(asker);
            }
            (Step::GoOn, _) => self.poll(asker),
            (Step::GiveUp, Doing::Asking(_)) => {
                self.count("gave up");
                self.askers[asker].doing = Doing::Done;
                self.read(process, asker);
            }
            (Step::Release, Doing::Holding { .. }) => {
                self.look_who_was_called(asker);
                self.release(asker);
            }
            _ => {}
        }
        // Who waits in the process goes on at once: who has the lock next isn't to depend on how long a step takes on
        // this machine.
        while let Some(called) = self.called(process) {
            self.poll(called);
        }
    }

    /// Who was called, and has not gone on since.
    fn called(&self, process: usize) -> Option<usize> {
        let life = self.processes[process].life;
        self.askers.iter().position(|asker| {
            let is_here = asker.wish.process == process && asker.life == life;
            is_here && asker.called.heard()
        })
    }

    /// Has those go on whom their agent has called, each in its time.
    pub(super) fn plan_steps(&mut self, process: usize) {
        while let Some(called) = self.called(process) {
            let after = if self.is_faulty() && self.chance.one_in(20) {
                self.chance.time(self.setting.lease)
            } else {
                self.chance.of(&[0, 0, MILLISECOND])
            };
            self.input(after, process, Input::Step(called, Step::GoOn));
        }
    }

    fn poll(&mut self, asker: usize) {
        let Asker {
            wish,
            doing,
            called,
            ..
        } = &mut self.askers[asker];
        let (process, heeds_loss) = (wish.process, wish.heeds_loss);
        let waker = Waker::from(Arc::clone(called));
        let mut context = Context::from_waker(&waker);
        match doing {
            Doing::Asking(Some(taking)) => {
                let taken = taking.as_mut().poll(&mut context);
                match taken {
                    Poll::Ready(Ok(guard)) => self.given(asker, guard),
                    Poll::Ready(Err(error)) => self.failed(asker, &error),
                    Poll::Pending => {}
                }
                self.read(process, asker);
            }
            Doing::Holding { lost, .. } if heeds_loss => {
                if Pin::new(lost).poll(&mut context).is_ready() {
                    let after = self.chance.below(MILLISECOND);
                    self.input(after, process, Input::Step(asker, Step::Release));
                }
            }
            Doing::Releasing { release, .. } => {
                if let Poll::Ready(result) = release.as_mut().poll(&mut context) {
                    self.released(asker, &result);
                }
            }
            Doing::Asking(None) | Doing::Holding { .. } | Doing::Done => {}
        }
    }

    /// An asker has what it wants.
    fn given(&mut self, asker: usize, guard: AsyncLeaseGuard) {
        self.look_at_given(asker, &guard);
        let wish = &self.askers[asker].wish;
        let (process, hold) = (wish.process, wish.hold);
        let (lost, claims) = (guard.lost(), self.claims_of(asker, &guard));
        self.askers[asker].doing = Doing::Holding {
            guard,
            lost,
            claims,
            since: self.clock(process),
        };
        self.input(hold, process, Input::Step(asker, Step::Release));
        self.poll(asker);
    }

    /// An asker is told that it doesn't get what it wants, and its future is there still.
    fn failed(&mut self, asker: usize, error: &Error) {
        let wish = &self.askers[asker].wish;
        let process = wish.process;
        let is_told_so = match error.kind() {
            ErrorKind::Busy => wish.asked == Asked::Once,
            ErrorKind::Unavailable => self.is_told_of_trouble(asker),
            ErrorKind::Lost => self.is_told_of_loss(asker),
            _ => false,
        };
        if !is_told_so {
            let wrong = format!("asker {asker} fails for no reason: {error}");
            self.checker.fail(wrong);
        }
        if error.kind() == ErrorKind::Lost {
            self.count("lost while it waits for others");
        }
        self.read(process, asker);
        let mut claims = self.claims.iter();
        if claims.any(|claim| claim.asker == asker && claim.is_wanted() && !claim.is_shared) {
            let wrong = format!("asker {asker} has failed, and keeps a claim");
            self.checker.fail(wrong);
        }
        self.askers[asker].doing = Doing::Done;
    }

    fn release(&mut self, asker: usize) {
        let Asker { wish, doing, .. } = &mut self.askers[asker];
        let (process, awaits_release) = (wish.process, wish.awaits_release);
        let Doing::Holding {
            guard,
            lost,
            claims,
            ..
        } = mem::replace(doing, Doing::Done)
        else {
            return;
        };
        let was_lost = guard.is_lost();
        if awaits_release {
            let release = Box::pin(guard.release_async());
            self.askers[asker].doing = Doing::Releasing {
                release,
                claims,
                was_lost,
            };
            self.poll(asker);
        } else {
            drop(guard);
        }
        self.read(process, asker);
        if !was_lost {
            self.over.push((asker, lost));
        }
    }

    /// An asker is told what its release has come to.
    fn released(&mut self, asker: usize, result: &Result<(), Error>) {
        let doing = mem::replace(&mut self.askers[asker].doing, Doing::Done);
        let Doing::Releasing {
            claims, was_lost, ..
        } = doing
        else {
            return;
        };
        let mut claims = claims.iter().map(|claim| &self.claims[*claim]);
        // Others in the process who share the lock have it still, and nobody waits for their release.
        let is_shared = self.askers[asker].wish.is_shared;
        let was_held = is_shared || claims.all(|claim| claim.was_held == Some(true));
        let is_told_so = result.is_ok() == (was_held && !was_lost);
        if !is_told_so && (was_lost || !is_shared) {
            let wrong = format!("asker {asker} is told of its release: {result:?}");
            self.checker.fail(wrong);
        }
    }

    /// Hears what those of a process would tell its agent, one of whom has just done something.
    pub(super) fn read(&mut self, process: usize, asker: usize) {
        while let Ok(message) = self.processes[process].messages.try_recv() {
            match message {
                Message::Ask(id, claim, how, told) => {
                    self.claim(process, asker, (id, &claim, how), told);
                }
                Message::Release(id) => self.let_go(process, id),
                _ => unreachable!("no asker says so"),
            }
        }
    }
}
