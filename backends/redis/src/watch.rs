//! What the server tells by itself.
//!
//! The connection asks for it with `CLIENT TRACKING`: the server then remembers which keys were read, also by
//! the scripts, and tells once of each that somebody else has changed, deleted or let expire.
//! So who waits hears of an expiry in the moment that it happens, without a second look, as the answer
//! "busy" and the wish to be told are one step of the server; and who holds a lock hears that it was
//! taken away. A holder's renewal changes the key too, after which waiters ask again in vain, and are told
//! of the next change.
//!
//! Who is first in a lock's queue has it handed over by the release, and is told so by the channel of
//! its session, with the fencing token. A message may be older than an answer that is seen before it; but the
//! tokens rise from grant to grant, so it is, if its token isn't greater than that of the
//! holder in the answer. A message that gets lost is made up for by the next question, which finds the
//! claim to be the holder. The change of the key, of which the server tells as well, has the new holder
//! look at it in the background, and so be told of the next one; a little later, since that hold may be over by then, and
//! others wait for it.
//!
//! A session watches one claim a name: the last that was asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lockutils_remote::Claim;
use redis::{PushInfo, PushKind, Value};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::value;

/// How long who waits believes in silence, if the lock's key doesn't expire.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long a lock is held that was handed over before its key is looked at.
const WATCH_DELAY: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(crate) struct Watches {
    state: Mutex<State>,
    /// There may be something to [`take`](Self::take).
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    by_name: HashMap<String, Watch>,
    /// The names of held locks whose keys have changed, until it is known how.
    changed: Vec<String>,
    /// The connection has ended.
    over: bool,
    /// Claims that are lost, and were not told yet.
    lost: Vec<u128>,
}

#[derive(Debug)]
struct Watch {
    nonce: u128,
    held: bool,
    /// How many changes of the key were told.
    changes: u64,
    /// How many of them came before the value that was looked at.
    judged: u64,
    /// When the value is to be looked at, if there were more.
    look_at: Instant,
    /// When it will be free, of a lock that others have.
    until: Instant,
    /// The fencing token with which the server has handed it over, as it said.
    granted: Option<u64>,
    /// Ends a wait.
    free: Arc<Notify>,
}

/// What there is to see to.
#[derive(Debug)]
pub(crate) enum News {
    /// The connection has ended.
    Over,
    /// This claim is lost.
    Lost(u128),
    /// The locks of these names may be lost, which these claims have held after so many changes.
    Changed(Vec<(String, u128, u64)>),
}

impl Watches {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claim will be asked for.
    pub(crate) fn ask(&self, claim: &Claim) {
        let watch = Watch::new(claim);
        self.state().by_name.insert(claim.name.clone(), watch);
    }

    /// The claims are held, or will be renewed.
    pub(crate) fn hold<'a>(&self, claims: impl IntoIterator<Item = &'a Claim>) {
        let mut state = self.state();
        for claim in claims {
            // A change was told behind the server's answer, but seen before it.
            if state.hold(claim, Instant::now()) {
                self.news.notify_one();
            }
        }
    }

    /// Somebody else has the lock, for so many milliseconds; it has no end if they are negative. With the
    /// holder's fencing token.
    pub(crate) fn wait(&self, claim: &Claim, left: i64, holder: Option<u64>) {
        // Not all that wait should ask in the same moment; nor before the server sees it.
        let spread = Duration::from_millis(1 + u64::try_from(claim.nonce % 30).unwrap_or_default());
        let left = u64::try_from(left).map_or(POLL_INTERVAL, Duration::from_millis);
        let mut state = self.state();
        let watch = state.watch(claim);
        watch.until = Instant::now() + left + spread;
        // What was granted before has been lost since.
        let is_later = |granted: &u64| holder.is_some_and(|holder| *granted > holder);
        watch.granted = watch.granted.filter(is_later);
    }

    /// The claim is of no interest any more.
    pub(crate) fn forget(&self, claim: &Claim) {
        let mut state = self.state();
        if state
            .by_name
            .get(&claim.name)
            .is_some_and(|watch| watch.nonce == claim.nonce)
        {
            state.by_name.remove(&claim.name);
        }
    }

    /// Waits until the lock may be free, or the claim has it: then with the fencing token.
    pub(crate) async fn freed(&self, claim: &Claim) -> Option<u64> {
        let (free, until) = {
            let mut state = self.state();
            let watch = state.watch(claim);
            (Arc::clone(&watch.free), watch.until)
        };
        // Over time is as good a reason to ask.
        let _ = timeout_at(until, free.notified()).await;
        let mut state = self.state();
        let granted = state.watch(claim).granted.take();
        // The change is the hand-over itself, as far as is known.
        if granted.is_some() && state.hold(claim, Instant::now() + WATCH_DELAY) {
            self.news.notify_one();
        }
        granted
    }

    /// Takes what the client was told by the server.
    pub(crate) fn tell(&self, push: &PushInfo) {
        let mut state = self.state();
        match (&push.kind, push.data.as_slice()) {
            (PushKind::Disconnection, _) => state.over = true,
            (PushKind::Invalidate, [Value::Array(names)]) => {
                let names = names.iter().filter_map(|name| match name {
                    Value::BulkString(name) => std::str::from_utf8(name).ok(),
                    _ => None,
                });
                names.for_each(|name| state.change(name));
            }
            (PushKind::Message, [_, Value::BulkString(told)]) => {
                if let Some((nonce, fence, name)) = value::granted(told) {
                    state.grant(nonce, fence, name);
                }
            }
            // All keys at once.
            (PushKind::Invalidate, _) => {
                let names: Vec<_> = state.by_name.keys().cloned().collect();
                for name in &names {
                    state.change(name);
                }
            }
            _ => return,
        }
        if state.over || !state.changed.is_empty() {
            self.news.notify_one();
        }
    }

    /// Waits for something to see to.
    pub(crate) async fn news(&self) -> News {
        loop {
            let next = match self.state().news(Instant::now()) {
                Ok(news) => return news,
                Err(next) => next,
            };
            let notified = self.news.notified();
            match next {
                Some(next) => drop(timeout_at(next, notified).await),
                None => notified.await,
            }
        }
    }

    /// Takes the values of locks that may have been lost.
    pub(crate) fn judge(&self, changed: &[(String, u128, u64)], values: &[Option<Vec<u8>>]) {
        let mut state = self.state();
        for ((name, nonce, changes), value) in changed.iter().zip(values) {
            // The value says nothing of a claim that was asked for since.
            let watch = state.by_name.get_mut(name);
            let Some(watch) = watch.filter(|watch| watch.nonce == *nonce) else {
                continue;
            };
            watch.judged = *changes;
            if value.as_deref().and_then(value::owner) != Some(*nonce) && watch.held {
                state.by_name.remove(name);
                state.lost.push(*nonce);
            }
        }
        state.trust();
    }
}

impl State {
    /// The watch of a claim, which is the last one of its name from now on.
    fn watch(&mut self, claim: &Claim) -> &mut Watch {
        if self
            .by_name
            .get(&claim.name)
            .is_none_or(|watch| watch.nonce != claim.nonce)
        {
            self.by_name.insert(claim.name.clone(), Watch::new(claim));
        }
        self.by_name.get_mut(&claim.name).expect("it is there")
    }

    /// The claim is held; whether its key has changed, which is to be looked at then.
    fn hold(&mut self, claim: &Claim, look_at: Instant) -> bool {
        let watch = self.watch(claim);
        (watch.held, watch.look_at) = (true, look_at);
        let is_suspect = watch.is_suspect();
        if is_suspect {
            self.changed.push(claim.name.clone());
        }
        is_suspect
    }

    /// The key of this name has changed.
    fn change(&mut self, name: &str) {
        let Some(watch) = self.by_name.get_mut(name) else {
            return;
        };
        if watch.held && !watch.is_suspect() {
            self.changed.push(name.to_owned());
        }
        watch.look_at = Instant::now();
        watch.changes += 1;
        watch.free.notify_one();
    }

    /// The claim has the lock of this name, if it is waited for still.
    fn grant(&mut self, nonce: u128, fence: u64, name: &str) {
        if let Some(watch) = self.by_name.get_mut(name) {
            if watch.nonce == nonce {
                watch.granted = Some(fence);
                // A session isn't told of the changes that it makes itself, and its own release may be one.
                self.change(name);
            }
        }
    }

    /// Forgets the changes of locks that aren't held, or that were looked at since.
    fn trust(&mut self) {
        let by_name = &self.by_name;
        let is_suspect = |name: &String| by_name.get(name).is_some_and(Watch::is_suspect);
        self.changed.retain(is_suspect);
    }

    /// What there is, or when there may be something if nothing happens before.
    fn news(&mut self, now: Instant) -> Result<News, Option<Instant>> {
        if let Some(nonce) = self.lost.pop() {
            return Ok(News::Lost(nonce));
        }
        if self.over {
            return Ok(News::Over);
        }
        // A claim that is held from now on isn't judged by an answer that is older.
        self.trust();
        let changed = self.changed.iter().map(|name| (name, &self.by_name[name]));
        let due = changed.clone().filter(|(_, watch)| watch.look_at <= now);
        let due = due.map(|(name, watch)| (name.clone(), watch.nonce, watch.changes));
        let due: Vec<_> = due.collect();
        if due.is_empty() {
            return Err(changed.map(|(_, watch)| watch.look_at).min());
        }
        Ok(News::Changed(due))
    }
}

impl Watch {
    fn new(claim: &Claim) -> Self {
        Self {
            nonce: claim.nonce,
            held: false,
            changes: 0,
            judged: 0,
            look_at: Instant::now(),
            until: Instant::now(),
            granted: None,
            free: Arc::new(Notify::new()),
        }
    }

    /// Whether the lock may be lost.
    fn is_suspect(&self) -> bool {
        self.held && self.changes > self.judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    const HOLDER: u64 = 9;

    fn claim(nonce: u128) -> Claim {
        Claim {
            name: "p:k".into(),
            key: "k".into(),
            nonce,
            shared: false,
            site: String::new(),
            since: SystemTime::now(),
        }
    }

    fn told(nonce: u128, fence: u64) -> PushInfo {
        let told = format!("{nonce:032x}{fence}\np:k");
        let told = [String::from("p:#granted:1"), told];
        PushInfo {
            kind: PushKind::Message,
            data: told.map(|text| Value::BulkString(text.into())).to_vec(),
        }
    }

    fn run<T>(test: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().build().unwrap().block_on(test)
    }

    /// What ends the wait of claim 7, after messages before the answer that names the holder, and
    /// behind it.
    fn freed(before: &[PushInfo], behind: &[PushInfo]) -> Option<u64> {
        run(async {
            let (watches, claim) = (Watches::default(), claim(7));
            watches.ask(&claim);
            for push in before {
                watches.tell(push);
            }
            watches.wait(&claim, 1, Some(HOLDER));
            for push in behind {
                watches.tell(push);
            }
            watches.freed(&claim).await
        })
    }

    #[test]
    fn hand_over_is_one_that_came_after_the_holder() {
        assert_eq!(freed(&[], &[told(7, HOLDER + 1)]), Some(HOLDER + 1));
        // The answer is older, and was seen later.
        assert_eq!(freed(&[told(7, HOLDER + 1)], &[]), Some(HOLDER + 1));
        // It was lost before somebody else got it.
        assert_eq!(freed(&[told(7, HOLDER - 1)], &[]), None);
    }

    #[test]
    fn key_is_looked_at_a_while_after_a_hand_over_and_at_once_when_it_changes() {
        run(async {
            let (watches, claim) = (Watches::default(), claim(7));
            watches.ask(&claim);
            watches.wait(&claim, 1, Some(HOLDER));
            watches.tell(&told(7, HOLDER + 1));
            let begin = Instant::now();
            watches.freed(&claim).await.unwrap();
            assert!(watches.state().news(begin).is_err());
            let changed = |news| matches!(news, News::Changed(changed) if changed.len() == 1);
            assert!(changed(watches.news().await));
            assert!(begin.elapsed() >= WATCH_DELAY);
            watches.judge(
                &[("p:k".into(), 7, 1)],
                &[Some(format!("{:032x}", 7).into())],
            );
            assert_eq!(watches.state().news(Instant::now()).err(), Some(None));
            watches.state().change("p:k");
            assert!(changed(watches.state().news(Instant::now()).unwrap()));
        });
    }

    #[test]
    fn hand_over_to_another_claim_is_none() {
        assert_eq!(freed(&[], &[told(8, HOLDER + 1)]), None);
        assert_eq!(freed(&[], &[]), None);
    }
}
