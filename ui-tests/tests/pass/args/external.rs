//! The process-wide space of lock files, with every kind of function that has a place for its
//! error.
#![deny(warnings)]

use lockutils::{Error, ErrorKind, FileLocks, file_locks, synchronized};
use std::time::Duration;

#[synchronized("migrations", external)]
fn migrate() -> Result<bool, Error> {
    file_locks().key("migrations").is_locked()
}

#[synchronized("vm-{id}", external, shared, acquire_timeout = "5s")]
async fn start(id: u32) -> std::io::Result<bool> {
    Ok(file_locks().key(("vm", 7)).is_locked()? || file_locks().key("vm-7").is_locked()?)
}

#[synchronized(keys = ids, external, nonblocking, or_else = |error| error.kind() == ErrorKind::Busy)]
fn stop(ids: &[u32]) -> bool {
    let _ = ids;
    false
}

#[synchronized(key = name, external, or_else = |_| false, guard = guard)]
async fn checked(name: &str) -> bool {
    drop(guard);
    !file_locks().key(name).is_locked().unwrap()
}

#[synchronized(key = name, external, reentrant)]
fn count_down(name: &str, left: u32) -> Result<u32, Error> {
    if left == 0 { Ok(0) } else { count_down(name, left - 1) }
}

struct Volumes {
    locks: FileLocks,
}

impl Volumes {
    #[synchronized(key = name, locks = self.locks)]
    fn attach(&self, name: &str) -> Result<bool, Error> {
        self.locks.key(name).is_locked()
    }
}

fn main() {
    let directory = std::env::temp_dir().join(format!("lockutils-ui-{}", std::process::id()));
    lockutils::set_file_locks(FileLocks::new(&directory)).unwrap();
    assert!(migrate().unwrap());
    let guard = file_locks().key(8).lock_timeout(Duration::from_secs(5)).unwrap();
    assert!(stop(&[7, 8]));
    drop(guard);
    assert!(!stop(&[7, 8]));
    futures::executor::block_on(async {
        assert!(start(7).await.unwrap());
        assert!(checked("name").await);
    });
    assert_eq!(count_down("name", 3).unwrap(), 0);
    let locks = FileLocks::new(&directory).prefix("volume-");
    assert!(Volumes { locks }.attach("a").unwrap());
    std::fs::remove_dir_all(&directory).unwrap();
}
