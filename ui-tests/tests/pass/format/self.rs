//! `self` is captured.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

struct Vm(u32);

impl std::fmt::Display for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "vm-{}", self.0)
    }
}

impl Vm {
    #[synchronized("{self}/disks")]
    fn attach(&self) -> bool {
        is_locked("vm-7/disks")
    }
}

fn main() {
    assert!(Vm(7).attach());
}
