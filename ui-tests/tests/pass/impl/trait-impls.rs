//! A trait's `impl` block, with its types and constants, also behind `dyn`.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use std::fmt;

trait Service {
    type Error: fmt::Debug;
    const NAME: &'static str;

    fn new(id: u32) -> Self
    where
        Self: Sized;

    fn call(&self) -> Result<bool, Self::Error>;

    fn provided(&self) -> bool {
        is_locked(7)
    }
}

struct Vm(u32);

#[synchronized(key = self.0)]
impl Service for Vm {
    type Error = fmt::Error;
    const NAME: &'static str = { "vm" };

    fn new(id: u32) -> Self {
        Self(id)
    }

    fn call(&self) -> Result<bool, fmt::Error> {
        Ok(is_locked(self.0))
    }
}

#[synchronized(key = self.0)]
impl fmt::Display for Vm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(is_locked(7));
        write!(f, "{}", self.0)
    }
}

#[synchronized(key = self.0)]
impl Drop for Vm {
    fn drop(&mut self) {
        assert!(is_locked(7));
    }
}

#[synchronized(key = self.0)]
unsafe impl Touch for Vm {
    unsafe fn touch(&self) -> bool {
        is_locked(7)
    }
}

/// # Safety
///
/// None.
unsafe trait Touch {
    unsafe fn touch(&self) -> bool;
}

fn main() {
    let vm = Vm::new(7);
    let service: &dyn Touch = &vm;
    // SAFETY: it asks for nothing.
    assert!(unsafe { service.touch() });
    assert!(vm.call().unwrap());
    assert!(!vm.provided());
    assert_eq!(vm.to_string(), Vm::NAME.replace("vm", "7"));
}
