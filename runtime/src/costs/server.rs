//! What the servers cost that have locks: their answers, and what they have taken away.

use super::histogram::Histogram;
use std::time::Duration;

/// What a server is asked, for [`note_answer`](crate::engine::note_answer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// To connect, and to open a session.
    Connect,
    /// For a lock.
    Acquire,
    /// To release one.
    Release,
    /// To renew leases, be it one or all of them.
    Renew,
    /// Who holds what.
    Look,
}

impl Question {
    pub(crate) const ALL: [Self; 5] = [
        Self::Connect,
        Self::Acquire,
        Self::Release,
        Self::Renew,
        Self::Look,
    ];

    /// What metrics call it: `connect`, `acquire`, `release`, `renew` or `look`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Acquire => "acquire",
            Self::Release => "release",
            Self::Renew => "renew",
            Self::Look => "look",
        }
    }
}

#[derive(Clone)]
pub(crate) struct CostOfServer {
    answers: [Answers; Question::ALL.len()],
    /// How many leases were lost.
    pub(crate) lost: u64,
}

/// The answers to one kind of question.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(crate) took: Histogram,
    /// How many questions have failed, or had no answer.
    pub(crate) failed: u64,
}

impl CostOfServer {
    pub(crate) const fn answers(&self, question: Question) -> &Answers {
        &self.answers[question as usize]
    }

    pub(super) fn add(&mut self, question: Question, took: Option<Duration>) {
        let Answers { took: all, failed } = &mut self.answers[question as usize];
        match took {
            Some(took) => all.add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
            None => *failed += 1,
        }
    }
}

impl Default for CostOfServer {
    fn default() -> Self {
        const NONE: Answers = Answers {
            took: Histogram::NEW,
            failed: 0,
        };
        Self {
            answers: [NONE; Question::ALL.len()],
            lost: 0,
        }
    }
}
