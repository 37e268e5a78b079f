//! What holding a lock costs in bytes, also inside a future.

use lockutils::{AsyncGuard, Error, Guard, synchronized};
use lockutils_tests::yield_now;

#[test]
fn guards_have_at_most_24_bytes() {
    assert!(size_of::<Guard>() <= 24, "{}", size_of::<Guard>());
    assert!(size_of::<AsyncGuard>() <= 24, "{}", size_of::<AsyncGuard>());
}

/// An annotated future has to hold the wait or the guard, and nothing else of ours.
#[test]
fn annotation_adds_at_most_128_bytes_to_a_future() {
    async fn plain(id: u32) -> u32 {
        let buffer = [0_u8; 256];
        yield_now().await;
        id + u32::from(buffer[0])
    }
    #[synchronized(key = id)]
    async fn annotated(id: u32) -> u32 {
        let buffer = [0_u8; 256];
        yield_now().await;
        id + u32::from(buffer[0])
    }
    #[synchronized(key = id, locks = lockutils::global())]
    async fn in_a_space(id: u32) -> u32 {
        let buffer = [0_u8; 256];
        yield_now().await;
        id + u32::from(buffer[0])
    }
    #[synchronized(key = id, acquire_timeout = "1s")]
    async fn for_some_time(id: u32) -> Result<u32, Error> {
        let buffer = [0_u8; 256];
        yield_now().await;
        Ok(id + u32::from(buffer[0]))
    }
    #[synchronized(keys = [id], nonblocking)]
    async fn now(id: u32) -> Result<u32, Error> {
        let buffer = [0_u8; 256];
        yield_now().await;
        Ok(id + u32::from(buffer[0]))
    }

    let plain = size_of_val(&plain(7));
    for annotated in [
        size_of_val(&annotated(7)),
        size_of_val(&in_a_space(7)),
        size_of_val(&for_some_time(7)),
        size_of_val(&now(7)),
    ] {
        assert!(annotated <= plain + 128, "{annotated} for {plain}");
    }
}

/// Beside nothing that the wait or the guard could share its room with.
#[test]
fn annotation_adds_at_most_128_bytes_to_a_small_future() {
    async fn small() {
        yield_now().await;
    }
    #[synchronized]
    async fn small_annotated() {
        yield_now().await;
    }
    #[synchronized(acquire_timeout = "1s")]
    async fn small_for_some_time() -> Result<(), Error> {
        yield_now().await;
        Ok(())
    }
    #[synchronized(keys = [7], nonblocking)]
    async fn small_now() -> Result<(), Error> {
        yield_now().await;
        Ok(())
    }

    let small = size_of_val(&small());
    for annotated in [
        size_of_val(&small_annotated()),
        size_of_val(&small_for_some_time()),
        size_of_val(&small_now()),
    ] {
        assert!(annotated <= small + 128, "{annotated} for {small}");
    }
}
