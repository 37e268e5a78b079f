//! An associated function without `self`.
#![deny(warnings)]

use lockutils::synchronized;

struct Vm {
    id: u32,
}

impl Vm {
    #[synchronized("new")]
    fn new() -> Self {
        Self { id: 7 }
    }
}

fn main() {
    assert_eq!(Vm::new().id, 7);
}
