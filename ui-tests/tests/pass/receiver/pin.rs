//! `self: Pin<&mut Self>`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use std::pin::Pin;

struct Vm {
    id: u32,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn by_pin(self: Pin<&mut Self>) -> bool {
        is_locked(self.id)
    }
}

fn main() {
    assert!(Pin::new(&mut Vm { id: 7 }).by_pin());
}
