//! UUIDs as keys, whose locks are taken in a way of their own: they are those of their texts.

use lockutils::{Error, ErrorKind, LockKey, Locks, synchronized};
use lockutils_tests::{ByHand, states};
use std::time::Duration;
use uuid::Uuid;

const UUID: Uuid = Uuid::from_u128(0x2f1c_83b1_4d6e_9f27_a0b9_c8d7_e6f5_0418);

const TEXT: &str = "2f1c83b1-4d6e-9f27-a0b9-c8d7e6f50418";

#[derive(LockKey)]
struct Cell(Uuid);

/// While the lock is held by a UUID, it is held by its text.
#[track_caller]
fn assert_held(locks: &Locks) {
    let [lock] = &states(locks)[..] else {
        panic!("one lock is held");
    };
    assert_eq!(lock.key.as_str(), TEXT);
    assert_busy(locks.key(TEXT).try_lock());
    assert_busy(locks.key(UUID).try_lock());
}

fn assert_busy<G>(tried: Result<G, Error>) {
    let refused = tried.err().map(|error| error.kind());
    assert_eq!(refused, Some(ErrorKind::Busy));
}

/// The first lock of a space is taken in another way than those behind it.
fn twice(name: &'static str, call: impl Fn(&Locks)) {
    let locks = Locks::new(name);
    for _ in 0..2 {
        call(&locks);
        assert!(states(&locks).is_empty());
    }
}

#[test]
fn guard_of_a_uuid_excludes_its_text() {
    twice("UUID by guard", |locks| {
        let guard = locks.key(UUID).lock();
        assert_held(locks);
        drop(guard);
        let guard = locks.key(&Cell(UUID)).try_lock().unwrap();
        assert_held(locks);
        drop(guard);
        let guard = locks
            .key(Box::new(UUID))
            .lock_timeout(Duration::ZERO)
            .unwrap();
        assert_held(locks);
        drop(guard);
        let outer = locks.key(UUID).reentrant().lock();
        let inner = locks.key(UUID).reentrant().lock();
        drop(outer);
        assert_held(locks);
        drop(inner);
    });
}

#[test]
fn function_locked_by_a_uuid_excludes_its_text() {
    #[synchronized(key = uuid, locks = locks)]
    fn of(uuid: Uuid, locks: &Locks) {
        assert_held(locks);
    }

    #[synchronized(key = cell, locks = locks)]
    async fn of_cell(cell: &Cell, locks: &Locks) {
        assert_held(locks);
    }

    twice("UUID by attribute", |locks| {
        of(UUID, locks);
        assert!(ByHand::new(of_cell(&Cell(UUID), locks)).poll().is_ready());
    });
}

#[test]
fn text_excludes_its_uuid() {
    twice("text of a UUID", |locks| {
        let guard = locks.key(TEXT).lock();
        assert_busy(locks.key(UUID).try_lock());
        let mut waits = ByHand::new(locks.key(Cell(UUID)).lock_async());
        assert!(waits.poll().is_pending());
        drop(guard);
        drop(waits.finish());
    });
}

/// Where others may hold the lock as well, there is no way of its own.
#[test]
fn uuid_is_shared_and_counted_as_its_text() {
    twice("UUID, shared", |locks| {
        let one = locks.key(UUID).shared().lock();
        let two = locks.key(TEXT).shared().lock();
        assert_held(locks);
        drop((one, two));
    });
    let locks = Locks::new("UUID, counted").permits(2);
    for _ in 0..2 {
        let one = locks.key(UUID).lock();
        let two = locks.key(TEXT).lock();
        assert_held(&locks);
        drop((one, two));
    }
}

/// Also where the compiler doesn't see what the key is.
#[test]
fn uuid_behind_a_trait_object_excludes_its_text() {
    twice("UUID, dyn", |locks| {
        let key: &dyn LockKey = &Cell(UUID);
        let guard = locks.key(key).lock();
        assert_held(locks);
        drop(guard);
    });
}
