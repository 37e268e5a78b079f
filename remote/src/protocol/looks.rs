//! Questions about who holds what.

use super::alarms::Alarm;
use super::said::{Effect, Id, News, Question, trouble};
use super::state::{Protocol, Purpose};
use crate::store::{Fault, Taken};

impl Protocol {
    /// Asks, if there is a session. Connects if there is none.
    pub(super) fn go_on_looking(&mut self, now: u64, id: Id) {
        let is_due = self.looks.get(&id).is_some_and(|look| !look.is_asked);
        if !is_due || self.alarms.is_set(Alarm::Again(id)) {
            return;
        }
        let Some(open) = self.session(now) else {
            return;
        };
        if let Some(looking) = self.looks.get_mut(&id) {
            looking.is_asked = true;
            let question = Question::Holders(open.number, looking.look.clone());
            self.start(now, question, Purpose::Look(id), self.answer_timeout());
        }
    }

    /// The server has answered.
    pub(super) fn seen(&mut self, now: u64, id: Id, result: Result<Vec<Taken>, Fault>) {
        let Some(looking) = self.looks.get_mut(&id) else {
            return;
        };
        let news = match result {
            Ok(holders) => {
                self.failures = 0;
                News::Seen(holders)
            }
            Err(Fault::Refused(cause)) => News::Unavailable(trouble(cause)),
            Err(Fault::NotDone(cause) | Fault::Unknown(cause) | Fault::Over(cause)) => {
                looking.is_asked = false;
                looking.trouble = Some(trouble(cause));
                looking.failures += 1;
                let failures = looking.failures;
                let pause = self.pause(failures);
                return self.alarms.set(Alarm::Again(id), now.saturating_add(pause));
            }
        };
        self.looks.remove(&id);
        self.tell(id, news);
        self.end_look(id);
    }

    /// Nobody wants to know any more, or has waited long enough.
    pub(super) fn stop_looking(&mut self, id: Id) {
        let why = self.why(id);
        if self.looks.remove(&id).is_some() {
            self.tell(id, News::Unavailable(why));
            self.end_look(id);
        }
    }

    pub(super) fn end_look(&mut self, id: Id) {
        self.alarms.clear(Alarm::Patience(id));
        self.alarms.clear(Alarm::Again(id));
        self.effects.push_back(Effect::Forget(id));
    }
}
