//! What the engines of servers tell for the metrics.

use crate::costs::{self, Question};
use crate::observe::listen::listeners;
use crate::table::identity::number_of;
use std::time::Duration;

/// Counts what a server was asked for the locks of a space, for [`stats`](crate::stats()) and the feature
/// `metrics`: how long the answer took; `None` if the question has failed, or the answer didn't come.
///
/// `space` is what [`Engine::name`](crate::engine::Engine::name) gives. Only what is answered at once
/// counts, and no wait for a lock. Where nobody listens nothing is counted.
///
/// # Examples
///
/// ```
/// use lockutils::engine::{Question, note_answer};
/// use std::time::Duration;
///
/// let _ = lockutils::stats(); // from here on it counts
/// note_answer("billing", Question::Renew, Some(Duration::from_millis(2)));
/// note_answer("billing", Question::Renew, None);
///
/// let text = lockutils::stats().to_prometheus();
/// assert!(text.contains("lockutils_lease_renewals_total{space=\"billing\",outcome=\"failed\"} 1"));
/// ```
pub fn note_answer(space: &'static str, question: Question, took: Option<Duration>) {
    if !listeners().is_none() {
        costs::answered(number_of(space), question, took);
    }
}
