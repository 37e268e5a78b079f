//! `&self`, with a space in a field.
#![deny(warnings)]

use lockutils::{Locks, synchronized};

struct Vm {
    id: u32,
    locks: Locks,
}

impl Vm {
    #[synchronized(key = self.id, locks = self.locks)]
    fn by_reference(&self) -> bool {
        self.locks.key(7).is_locked()
    }
}

fn main() {
    let vm = Vm {
        id: 7,
        locks: Locks::new("vm"),
    };
    assert!(vm.by_reference());
}
