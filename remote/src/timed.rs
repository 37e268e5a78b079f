//! How long the server takes to answer, for the metrics.

use crate::clock;
use crate::protocol::Outcome;
use lockutils::engine::{Question, note_answer};
use std::time::Duration;

/// A question that is under way. One that is dropped had no answer.
pub(crate) struct Timed {
    space: &'static str,
    /// `None` of what isn't answered at once, and so isn't counted.
    question: Option<Question>,
    since: u64,
}

impl Timed {
    pub(crate) fn begin(space: &'static str, question: Option<Question>) -> Self {
        let since = clock::now();
        Self {
            space,
            question,
            since,
        }
    }

    /// The answer has come, or an error.
    pub(crate) fn end(mut self, is_answered: bool) {
        if let Some(question) = self.question.take() {
            let took = Duration::from_nanos(clock::now().saturating_sub(self.since));
            note_answer(self.space, question, is_answered.then_some(took));
        }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        if let Some(question) = self.question {
            note_answer(self.space, question, None);
        }
    }
}

/// Whether it is an answer, and no error.
pub(crate) const fn is_answer(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Opened(result) => result.is_ok(),
        Outcome::Acquired(result) => result.is_ok(),
        Outcome::Freed(result) => result.is_ok(),
        Outcome::Released(result) => result.is_ok(),
        Outcome::Renewed(result) => result.is_ok(),
        Outcome::Seen(result) => result.is_ok(),
        Outcome::Closed => true,
    }
}
