//! Money moves between accounts, both of them locked: `keys`.
//!
//! A transfer reads two balances and writes two. If it locked the one account and then the
//! other, a transfer from 1 to 2 and one from 2 to 1 could each hold what the other waits
//! for. `keys` takes all of them in one order, whichever way round they are named, and one
//! that is named twice once.
//!
//! Here threads move money in all directions while an auditor adds it up again and again.
//!
//! ```text
//! cargo run --example transfer
//! ```

use lockutils::{Locks, synchronized};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

const ACCOUNTS: usize = 4;
const EACH: u32 = 100;

struct Bank {
    locks: Locks,
    balances: [AtomicU32; ACCOUNTS],
}

impl Bank {
    #[synchronized(keys = [from, to], locks = self.locks)]
    fn transfer(&self, from: usize, to: usize, amount: u32) -> bool {
        let Some(rest) = self.read(from).checked_sub(amount) else {
            return false;
        };
        self.write(from, rest);
        // From here to the next line the money is nowhere, and nobody sees it.
        self.write(to, self.read(to) + amount);
        true
    }

    /// Auditors don't keep each other out, only transfers.
    #[synchronized(keys = 0..ACCOUNTS, locks = self.locks, shared)]
    fn total(&self) -> u32 {
        (0..ACCOUNTS).map(|account| self.read(account)).sum()
    }

    fn read(&self, account: usize) -> u32 {
        // As slow as a database, so that another thread gets a chance.
        thread::yield_now();
        self.balances[account].load(Ordering::Relaxed)
    }

    fn write(&self, account: usize, balance: u32) {
        thread::yield_now();
        self.balances[account].store(balance, Ordering::Relaxed);
    }
}

fn main() {
    let bank = Bank {
        locks: Locks::new("accounts"),
        balances: [const { AtomicU32::new(EACH) }; ACCOUNTS],
    };
    let everything = EACH * u32::try_from(ACCOUNTS).expect("a few");

    thread::scope(|scope| {
        for from in 0..ACCOUNTS {
            let bank = &bank;
            // To each account in turn, also to the one that it comes from.
            let to = (0..ACCOUNTS).cycle().take(200);
            scope.spawn(move || to.filter(|to| bank.transfer(from, *to, 7)).count());
        }
        scope.spawn(|| (0..200).for_each(|_| assert_eq!(bank.total(), everything)));
    });

    assert_eq!(bank.total(), everything);
    assert!(!bank.transfer(0, 1, everything + 1), "more than there is");
    println!("800 transfers, and all {everything} are still there");
}
