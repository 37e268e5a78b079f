//! The block's arguments are evaluated in each method.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, Locks, is_locked, synchronized};

struct Bank {
    locks: Locks,
}

struct Text;

#[synchronized("account-{id}", locks = self.locks)]
impl Bank {
    fn deposit(&mut self, id: u32) -> bool {
        self.locks.key("account-7").is_locked() && id == 7
    }

    async fn audit(&self, id: &str) -> bool {
        self.locks.key("account-7").is_locked() && id == "7"
    }
}

#[synchronized("one for all")]
impl Text {
    fn first(&self) -> bool {
        is_locked("one for all")
    }

    fn second(&self) -> bool {
        is_locked("one for all")
    }
}

#[synchronized(keys = [from, to], nonblocking)]
impl Text {
    fn transfer(&self, from: u32, to: u32) -> Result<bool, Error> {
        Ok(is_locked(from) && is_locked(to))
    }
}

#[synchronized(key = id, guard = guard, acquire_timeout = "5s")]
impl Text {
    fn guarded(&self, id: u32) -> Result<bool, Error> {
        let held = is_locked(id);
        drop(guard);
        Ok(held && !is_locked(id))
    }
}

/// Each method has a lock of its own.
#[synchronized]
impl Text {
    fn one(&self) -> bool {
        self.other() && held("::one")
    }

    fn other(&self) -> bool {
        held("::other")
    }
}

#[synchronized(key = "re-entered", reentrant)]
impl Text {
    fn outer(&self) -> bool {
        self.inner()
    }

    fn inner(&self) -> bool {
        is_locked("re-entered")
    }
}

fn held(name: &str) -> bool {
    lockutils::snapshot().iter().any(|lock| lock.space.ends_with(name))
}

fn main() {
    let mut bank = Bank { locks: Locks::new("bank") };
    assert!(bank.deposit(7) && block_on(bank.audit("7")));
    assert!(Text.first() && Text.second() && Text.one() && Text.outer());
    assert!(Text.transfer(1, 2).unwrap() && Text.guarded(3).unwrap());
}
