//! `shared`: several readers at once.

use super::waits;
use lockutils::{Locks, synchronized};
use lockutils_tests::in_time;
use pollster::block_on;

static LOCKS: Locks = Locks::new("attribute shared");

#[synchronized(key = key, locks = LOCKS, shared)]
fn read(key: &str, body: super::Body) {
    body();
}

#[synchronized(key = key, locks = LOCKS, shared)]
async fn read_async(key: &str, body: super::Body<'_>) {
    body();
}

#[synchronized(key = key, locks = LOCKS)]
fn write(key: &str, body: super::Body) {
    body();
}

#[synchronized(keys = [key], locks = LOCKS, shared)]
fn read_all(key: &str, body: super::Body) {
    body();
}

#[test]
fn readers_overlap_threads_and_tasks_alike() {
    in_time(|| {
        assert!(!waits("r", |body| read("r", body), |body| read("r", body)));
        assert!(!waits(
            "r",
            |body| read("r", body),
            |body| block_on(read_async("r", body)),
        ));
        assert!(!waits(
            "r",
            |body| block_on(read_async("r", body)),
            |body| read_all("r", body),
        ));
    });
}

#[test]
fn readers_and_writers_exclude_each_other() {
    in_time(|| {
        assert!(waits("w", |body| read("w", body), |body| write("w", body)));
        assert!(waits("w", |body| write("w", body), |body| read("w", body)));
        assert!(waits(
            "w",
            |body| write("w", body),
            |body| block_on(read_async("w", body)),
        ));
        assert!(waits(
            "w",
            |body| read_all("w", body),
            |body| write("w", body)
        ));
    });
}
