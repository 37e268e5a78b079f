//! What is seen of locks and spaces.

use crate::{LONG, locks};
use lockutils::ErrorKind;
use lockutils_remote::{FakeLocks, FakeStore, Remote};
use std::time::Duration;

#[test]
fn holder_is_seen_by_others() {
    let locks = locks();
    let other = locks.other_process();
    let key = other.key("key");
    assert!(!key.is_locked().unwrap());
    assert!(key.holder().unwrap().is_none());
    let _guard = locks.key("key").lock().unwrap();
    assert!(key.is_locked().unwrap());
    let holder = key.holder().unwrap().unwrap();
    assert_eq!(holder.pid(), Some(std::process::id()));
    assert!(holder.host().is_some_and(|host| !host.is_empty()));
    assert!(holder.command().is_some_and(|command| !command.is_empty()));
    assert!(holder.place().unwrap().contains("seen.rs"));
    assert!(holder.since().unwrap().elapsed().unwrap() < LONG);
    lockutils::assert_locked!(other, "key");
}

#[test]
fn states_are_those_of_the_prefix() {
    let locks = locks();
    let other = locks.clone().prefix("other");
    let _guards = [locks.key("b"), locks.key("a"), other.key("c")].map(|key| key.lock().unwrap());
    let states = locks.states().unwrap();
    let keys: Vec<_> = states.iter().map(|state| state.key.as_str()).collect();
    assert_eq!(keys, ["a", "b"]);
    assert_eq!(states[0].space, "memory/lockutils");
    assert_eq!(states[0].holders.len(), 1);
    let states = pollster::block_on(other.states_async()).unwrap();
    assert_eq!(states.len(), 1);
    assert!(
        states[0]
            .to_string()
            .starts_with("\"memory/other/c\": held by ")
    );
}

#[test]
fn settings_are_shown() {
    let locks = FakeLocks::new().ttl(Duration::from_secs(1));
    let text = format!("{:?}", locks.answer_timeout(Duration::from_millis(500)));
    assert_eq!(
        text,
        "Remote { server: \"memory\", prefix: \"lockutils\", ttl: 1s, answer_timeout: 500ms }"
    );
    let locks = FakeLocks::new();
    assert!(format!("{locks:?}").contains("ttl: 15s, answer_timeout: 5s"));
    assert_eq!(locks.name(), "memory/lockutils");
    assert_eq!(locks.prefix("").name(), "memory");
}

#[test]
#[should_panic(expected = "a lease of 999ms is too short; it is 1s at least")]
fn lease_of_less_than_a_second_panics() {
    let _ = FakeLocks::new().ttl(Duration::from_millis(999));
}

#[test]
#[should_panic(
    expected = "a lease of more than 213503982334601 days is too long; it is 36500 days at most, and 1s at least"
)]
fn lease_of_for_ever_panics() {
    let _ = FakeLocks::new().ttl(Duration::MAX);
}

#[test]
#[should_panic(expected = "an answer timeout of 0ns is too short; it is 1ms at least")]
fn silence_of_no_time_panics() {
    let _ = FakeLocks::new().answer_timeout(Duration::ZERO);
}

#[test]
fn key_may_be_anything_but_nothing() {
    let locks = locks();
    let error = locks.key("").lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    for key in ["\0", "a/b", "ä\n", " ", &"x".repeat(100_000)] {
        drop(locks.key(key).try_lock().unwrap());
    }
}

#[test]
fn server_of_a_name_is_one_in_the_process() {
    let new = |url| Remote::<FakeStore>::new(url);
    let (one, same, other) = (new("memory://a"), new("memory://a"), new("memory://b"));
    let (one, same, other) = (one.unwrap(), same.unwrap(), other.unwrap());
    let _guard = one.key("key").lock().unwrap();
    assert!(same.key("key").try_lock().is_err());
    assert!(other.key("key").try_lock().is_ok());
    assert_eq!(one.name(), "memory://a/lockutils");
    for url in ["memory://", "redis://a", ""] {
        assert_eq!(new(url).unwrap_err().kind(), ErrorKind::InvalidUrl);
    }
}
