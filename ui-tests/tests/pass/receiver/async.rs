//! Methods that are async, and borrow.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Locks, synchronized};
use std::sync::Arc;

struct Vm {
    id: u32,
    locks: Arc<Locks>,
    disks: Vec<u32>,
}

impl Vm {
    #[synchronized(key = self.id, locks = self.locks)]
    async fn by_reference(&self) -> bool {
        self.locks.key(7).is_locked()
    }

    #[synchronized(key = self.id, locks = self.locks.clone())]
    async fn by_mutable_reference(&mut self) -> &mut u32 {
        &mut self.disks[0]
    }

    #[synchronized(key = self.id)]
    async fn by_value(self) -> Vec<u32> {
        self.disks
    }

    #[synchronized(key = name)]
    async fn longest<'a>(&'a self, name: &'a str, other: &'a str) -> &'a str {
        if name.len() > other.len() { name } else { other }
    }

    #[synchronized(key = name)]
    async fn elided(&mut self, name: &str) -> Option<&u32> {
        self.disks.get(name.len())
    }
}

fn main() {
    let locks = Arc::new(Locks::new("vm"));
    let disks = vec![1, 2];
    let mut vm = Vm { id: 7, locks, disks };
    block_on(async {
        assert!(vm.by_reference().await);
        *vm.by_mutable_reference().await = 3;
        assert_eq!(vm.longest("ab", "c").await, "ab");
        assert_eq!(vm.elided("a").await, Some(&2));
        assert_eq!(vm.by_value().await, [3, 2]);
    });
}
