//! The keys are those of a field, in a space of another.
#![deny(warnings)]

use lockutils::{Locks, synchronized};

struct Vm {
    disks: Vec<String>,
    locks: Locks,
}

impl Vm {
    #[synchronized(keys = &self.disks, locks = self.locks)]
    fn attach(&mut self, disk: &str) -> bool {
        let locked = self.disks.iter().all(|disk| self.locks.key(disk).is_locked());
        self.disks.push(disk.to_owned());
        locked
    }
}

fn main() {
    let (disks, locks) = (vec!["a".to_owned()], Locks::new("disks"));
    let mut vm = Vm { disks, locks };
    assert!(vm.attach("b"));
    assert_eq!(vm.disks.len(), 2);
}
