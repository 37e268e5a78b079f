//! `nonblocking`: now or not at all.

use lockutils::{Error, ErrorKind, Locks, synchronized};
use lockutils_tests::ByHand;
use pollster::block_on;

static LOCKS: Locks = Locks::new("attribute nonblocking");

#[synchronized(key = key, locks = LOCKS, nonblocking)]
fn tried(key: &str) -> Result<bool, Error> {
    Ok(LOCKS.key(key).is_locked())
}

#[synchronized(key = key, locks = LOCKS, nonblocking)]
async fn tried_async(key: &str) -> Result<bool, Error> {
    Ok(LOCKS.key(key).is_locked())
}

#[test]
fn free_lock_is_held_by_the_body() {
    assert!(tried("free").unwrap());
    assert!(block_on(tried_async("free")).unwrap());
    assert!(!LOCKS.key("free").is_locked());
}

#[test]
fn busy_lock_is_an_error_at_once() {
    let _guard = block_on(LOCKS.key("busy").lock_async());
    let error = tried("busy").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.key(), Some("busy"));
    assert!(error.to_string().contains("is busy: held by"), "{error}");
    // Ready by the first poll: it doesn't wait.
    assert!(ByHand::new(tried_async("busy")).poll().is_ready());
    assert!(block_on(tried_async("busy")).is_err());
}

#[test]
fn key_that_one_holds_oneself_is_busy() {
    #[synchronized("self", locks = LOCKS, nonblocking)]
    fn again(depth: u32) -> Result<u32, Error> {
        if depth == 0 { Ok(0) } else { again(depth - 1) }
    }
    assert_eq!(again(0).unwrap(), 0);
    assert_eq!(again(1).unwrap_err().kind(), ErrorKind::Busy);
}

#[test]
fn one_busy_key_of_several_leaves_the_others_free() {
    #[synchronized(keys = ["a", "b"], locks = LOCKS, nonblocking)]
    fn both() -> Result<(), Error> {
        Ok(())
    }
    #[synchronized(keys = ["a", "b"], locks = LOCKS, nonblocking)]
    async fn both_async() -> Result<(), Error> {
        Ok(())
    }
    let guard = LOCKS.key("b").lock();
    assert_eq!(both().unwrap_err().key(), Some("b"));
    assert_eq!(block_on(both_async()).unwrap_err().key(), Some("b"));
    assert!(!LOCKS.key("a").is_locked());
    drop(guard);
    assert!(both().is_ok());
    assert!(block_on(both_async()).is_ok());
}

#[test]
fn functions_own_lock_can_be_tried() {
    #[synchronized(nonblocking)]
    fn once(nested: bool) -> Result<(), Error> {
        if nested { once(false) } else { Ok(()) }
    }
    assert!(once(false).is_ok());
    assert!(once(true).is_err());
}

#[test]
fn shared_holds_can_be_tried() {
    #[synchronized("readers", locks = LOCKS, shared, nonblocking)]
    fn read() -> Result<(), Error> {
        Ok(())
    }
    let reader = LOCKS.key("readers").shared().lock();
    assert!(read().is_ok());
    drop(reader);
    let _writer = LOCKS.key("readers").lock();
    assert!(read().is_err());
}
