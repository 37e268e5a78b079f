//! Questions for a lock that nobody knows the answer of, and that may still be under way.
//!
//! Where a server deals with questions in any order, one that was called off may come to it after the
//! release that has followed, and take the lock for nobody. A lease of its own would be over by itself;
//! that of the session is renewed for ever. So the release is repeated a lease later, when nothing that
//! old is under way any more. Nobody asks with a nonce again that was released, so that it does no harm.

use super::alarms::Alarm;
use super::said::Question;
use super::state::{Link, Protocol, Purpose};
use crate::store::Claim;
use std::sync::Arc;

impl Protocol {
    /// A claim is about to be released that may be granted later still.
    pub(super) fn set_adrift(&mut self, now: u64, claim: Arc<Claim>) {
        let shape = self.rules.shape;
        if shape.one_lease && !shape.ordered {
            if let Link::Open(open) = self.link {
                self.adrift
                    .push_back((now.saturating_add(open.lease), claim));
                self.plan_sweep();
            }
        }
    }

    /// Releases once more what may have been granted since.
    pub(super) fn sweep(&mut self, now: u64) {
        let Link::Open(open) = self.link else { return };
        while self.adrift.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, claim)) = self.adrift.pop_front() {
                let question = Question::Release(open.number, Arc::clone(&claim));
                let time = self.answer_timeout();
                self.start(now, question, Purpose::Sweep(claim), time);
            }
        }
        self.plan_sweep();
    }

    /// With the session all is over that was granted in it.
    pub(super) fn forget_adrift(&mut self) {
        self.adrift.clear();
        self.alarms.clear(Alarm::Sweep);
    }

    fn plan_sweep(&mut self) {
        if let Some((due, _)) = self.adrift.front() {
            self.alarms.set(Alarm::Sweep, *due);
        }
    }
}
