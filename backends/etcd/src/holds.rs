//! The keys of what is held, which somebody may delete by hand.
//!
//! The lease says nothing about that, so each key has a watch. It begins when a hold has lasted for a
//! while: what is released before doesn't cost the server anything. As it looks from the revision on
//! at which the key was created, nothing is missed. Where the stream of the watches breaks, or the server
//! has forgotten what was so long ago, the key itself is looked at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::task::JoinHandle;

use crate::ask;
use crate::link::{Kind, Link};
use crate::watch::Watches;

/// How long a lock is held before its key is watched.
const WATCH_DELAY: Duration = Duration::from_millis(50);
/// Before a key is looked at again that could not be.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// What a session holds.
pub(crate) struct Holds {
    tasks: Mutex<HashMap<u128, Watched>>,
    tell: mpsc::UnboundedSender<u128>,
    lost: AsyncMutex<mpsc::UnboundedReceiver<u128>>,
}

/// A task that watches a key, as long as this is there.
struct Watched(JoinHandle<()>);

impl Holds {
    pub(crate) fn new() -> Self {
        let (tell, lost) = mpsc::unbounded_channel();
        Self {
            tasks: Mutex::default(),
            tell,
            lost: AsyncMutex::new(lost),
        }
    }

    /// The claim of that nonce has the lock, by a key that was created at a revision.
    pub(crate) fn begin(
        &self,
        nonce: u128,
        (key, revision): (Vec<u8>, i64),
        link: &Arc<Link>,
        watches: &Arc<Watches>,
    ) {
        let (link, watches, tell) = (link.clone(), watches.clone(), self.tell.clone());
        let task = tokio::spawn(async move {
            tokio::time::sleep(WATCH_DELAY).await;
            until_deleted(key, revision, &link, &watches).await;
            // Nobody listens any more where the session is over.
            let _ = tell.send(nonce);
        });
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.insert(nonce, Watched(task));
    }

    /// The claim is being released.
    pub(crate) fn end(&self, nonce: u128) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.remove(&nonce);
    }

    /// Waits for one whose key is gone.
    pub(crate) async fn lost(&self) -> u128 {
        match self.lost.lock().await.recv().await {
            Some(nonce) => nonce,
            // It has a sender itself.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn until_deleted(key: Vec<u8>, created: i64, link: &Link, watches: &Watches) {
    let mut seen_at = created;
    loop {
        watches.deleted(key.clone(), seen_at).await;
        // Deleted, or nobody knows. Boxed, since few of the tasks ever come here, and it is large.
        match Box::pin(ask::range(link, Kind::Look, ask::one(key.clone()))).await {
            Ok(answer) if answer.kvs.iter().all(|key| key.create_revision != created) => return,
            Ok(answer) => seen_at = answer.header.map_or(seen_at, |header| header.revision),
            Err(_fault) => tokio::time::sleep(RETRY_DELAY).await,
        }
    }
}
