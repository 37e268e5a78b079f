//! Futures of annotated functions are spawned, joined and selected.
#![deny(warnings)]

use lockutils::{Locks, is_locked, synchronized};
use std::sync::Arc;

struct Pool {
    locks: Locks,
}

impl Pool {
    #[synchronized(key = id, locks = self.locks)]
    async fn start(self: Arc<Self>, id: u32) -> bool {
        tokio::task::yield_now().await;
        self.locks.key(id).is_locked()
    }
}

#[synchronized(key = id)]
async fn start(id: u32) -> bool {
    tokio::task::yield_now().await;
    is_locked(id)
}

async fn all() {
    let pool = Arc::new(Pool { locks: Locks::new("pool") });
    let tasks = [1, 1, 2].map(|id| tokio::spawn(pool.clone().start(id)));
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert!(tokio::spawn(start(1)).await.unwrap());
    let (one, two, three) = tokio::join!(start(1), start(1), start(2));
    assert!(one && two && three);
    assert!(futures::future::select(Box::pin(start(3)), Box::pin(start(3))).await.factor_first().0);
    let scoped = std::thread::scope(|scope| {
        let thread = scope.spawn(|| futures::executor::block_on(start(4)));
        thread.join().unwrap()
    });
    assert!(scoped);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(all());
}
