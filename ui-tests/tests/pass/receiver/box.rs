//! `self: Box<Self>`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

struct Vm {
    id: u32,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn by_box(self: Box<Self>) -> bool {
        is_locked(self.id)
    }
}

fn main() {
    assert!(Box::new(Vm { id: 7 }).by_box());
}
