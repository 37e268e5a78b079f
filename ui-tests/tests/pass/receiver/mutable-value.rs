//! `mut self`.
#![deny(warnings)]

use lockutils::synchronized;

struct Vm {
    id: u32,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn by_mutable_value(mut self) -> Self {
        self.id += 1;
        self
    }
}

fn main() {
    assert_eq!(Vm { id: 7 }.by_mutable_value().id, 8);
}
