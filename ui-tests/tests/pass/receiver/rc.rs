//! `self: Rc<Self>`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use std::rc::Rc;

struct Vm {
    id: u32,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn by_rc(self: Rc<Self>) -> bool {
        is_locked(self.id)
    }
}

fn main() {
    assert!(Rc::new(Vm { id: 7 }).by_rc());
}
