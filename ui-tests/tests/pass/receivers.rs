//! Every form of `self`.
#![deny(warnings)]

use lockutils::{Locks, is_locked, synchronized};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

struct Vm {
    id: u32,
    locks: Locks,
    disks: Vec<u32>,
}

impl Vm {
    #[synchronized("new")]
    fn new() -> Self {
        let (id, disks) = (7, vec![1, 2]);
        let locks = Locks::new("vm");
        Self { id, locks, disks }
    }

    #[synchronized(key = self.id, locks = self.locks)]
    fn by_reference(&self) -> bool {
        self.locks.key(7).is_locked()
    }

    #[synchronized(key = self.id)]
    fn by_mutable_reference(&mut self) -> &mut u32 {
        &mut self.disks[0]
    }

    #[synchronized(key = self.id, locks = self.locks)]
    fn in_its_own_space(&mut self) -> &mut Vec<u32> {
        self.id += 1;
        &mut self.disks
    }

    #[synchronized(key = self.id)]
    fn by_value(self) -> Vec<u32> {
        self.disks
    }

    #[synchronized(key = self.id)]
    fn by_mutable_value(mut self) -> Self {
        self.id += 1;
        self
    }

    #[synchronized(key = self.id)]
    fn by_box(self: Box<Self>) -> bool {
        is_locked(self.id)
    }

    #[synchronized(key = self.id)]
    fn by_rc(self: Rc<Self>) -> bool {
        is_locked(self.id)
    }

    #[synchronized(key = self.id)]
    fn by_arc(self: &Arc<Self>) -> Arc<Self> {
        Arc::clone(self)
    }

    #[synchronized(key = self.id)]
    fn by_pin(self: Pin<&mut Self>) -> bool {
        is_locked(self.id)
    }
}

fn main() {
    let mut vm = Vm::new();
    assert!(vm.by_reference());
    *vm.by_mutable_reference() = 3;
    vm.in_its_own_space().push(4);
    assert!(Box::new(Vm::new()).by_box());
    assert!(Rc::new(Vm::new()).by_rc());
    assert_eq!(Arc::new(Vm::new()).by_arc().id, 7);
    assert!(Pin::new(&mut vm).by_pin());
    assert_eq!(vm.by_mutable_value().by_value(), [3, 2, 4]);
}
