//! Above an attribute that copies what stands above a method, the block is locked before it.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use lockutils_ui_tests_attributes::{extension, mock};

struct Vm;

#[synchronized("extension")]
#[extension]
impl Vm {
    fn start(&self) -> bool {
        is_locked("extension")
    }
}

#[synchronized("mock")]
#[mock]
impl Vm {
    #[allow(dead_code)]
    fn stop(&self) -> bool {
        is_locked("mock")
    }
}

fn main() {
    assert!(Vm.start() && Vm.stop());
}
