//! `&mut self`, with a space in a field of it.
#![deny(warnings)]

use lockutils::{Locks, synchronized};

struct Vm {
    id: u32,
    locks: Locks,
    disks: Vec<u32>,
}

impl Vm {
    #[synchronized(key = self.id, locks = self.locks)]
    fn in_its_own_space(&mut self) -> &mut Vec<u32> {
        self.id += 1;
        &mut self.disks
    }
}

fn main() {
    let mut vm = Vm {
        id: 7,
        locks: Locks::new("vm"),
        disks: vec![1],
    };
    vm.in_its_own_space().push(4);
    assert_eq!((vm.id, vm.disks), (8, vec![1, 4]));
}
