//! What the attribute is for: a cache that is filled once.
//!
//! Between "not in the cache" and "store it in the cache" a task gives way, and
//! another one runs the same code. This is the story of Nova's `set_target_cell`.

use lockutils::synchronized;
use lockutils_tests::{in_time, yield_now};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const CELLS: usize = 3;

#[derive(Default)]
struct Cache {
    connections: Mutex<HashMap<usize, usize>>,
    opened: AtomicUsize,
}

impl Cache {
    async fn connect_unlocked(&self, cell: usize) -> usize {
        let cached = self.connections.lock().unwrap().get(&cell).copied();
        if let Some(connection) = cached {
            return connection;
        }
        let connection = self.opened.fetch_add(1, Ordering::SeqCst);
        yield_now().await; // The handshake.
        self.connections.lock().unwrap().insert(cell, connection);
        connection
    }

    #[synchronized("cache::cell-{cell}")]
    async fn connect(&self, cell: usize) -> usize {
        self.connect_unlocked(cell).await
    }
}

/// Runs a hundred tasks on a runtime, and counts the connections that they opened.
fn opened<F: Future<Output = usize> + Send + 'static>(
    mut runtime: tokio::runtime::Builder,
    connect: fn(Arc<Cache>, usize) -> F,
) -> usize {
    let cache = Arc::new(Cache::default());
    runtime.build().unwrap().block_on(async {
        let requests = (0..100).map(|number| {
            let cell = number % CELLS;
            tokio::spawn(connect(Arc::clone(&cache), cell))
        });
        for request in requests.collect::<Vec<_>>() {
            request.await.unwrap();
        }
    });
    cache.opened.load(Ordering::SeqCst)
}

#[test]
fn cache_is_filled_once() {
    in_time(|| {
        let connect = |cache: Arc<Cache>, cell| async move { cache.connect(cell).await };
        let one_thread = tokio::runtime::Builder::new_current_thread();
        assert_eq!(opened(one_thread, connect), CELLS);
        let many_threads = tokio::runtime::Builder::new_multi_thread();
        assert_eq!(opened(many_threads, connect), CELLS);
    });
}

/// The test above would see it: on one thread, and without any chance.
#[test]
fn cache_without_the_lock_is_filled_again_and_again() {
    in_time(|| {
        let connect = |cache: Arc<Cache>, cell| async move { cache.connect_unlocked(cell).await };
        let one_thread = tokio::runtime::Builder::new_current_thread();
        assert_eq!(opened(one_thread, connect), 100);
    });
}
