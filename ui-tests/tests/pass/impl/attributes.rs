//! Attributes, documentation and conditions of a block and of its methods stay theirs.
#![deny(warnings, missing_docs)]
//! A crate.

use lockutils::{is_locked, synchronized};

/// A type.
pub struct Vm {
    /// Its key.
    pub id: u32,
}

/// A block.
#[allow(clippy::needless_pass_by_ref_mut)]
#[synchronized(key = self.id)]
#[cfg(all())]
#[rustfmt::skip]
impl Vm {
    #![allow(unused_mut)]

    /// A method.
    #[cfg(all())]
    #[must_use]
    #[inline(always)]
    pub fn start(&self) -> bool { let mut held = is_locked(7); held }

    /// Another of the same name, which isn't there.
    #[cfg(any())]
    pub fn start(&self) -> Missing { is_locked(7) }

    #[doc = "A method with an attribute of its own on an argument."]
    #[cfg_attr(all(), must_use)]
    pub fn stop(&self, #[cfg(any())] missing: Missing, #[allow(unused)] id: u32) -> bool {
        #![allow(unused_variables)]
        let unused = 1;
        is_locked(7)
    }

    #[expect(unused_variables)]
    /// The lints of a body.
    pub fn lints(&self) { let unused = 1; }

    #[deprecated]
    #[track_caller]
    #[cold]
    /// A caller.
    pub fn caller(&self) -> u32 { std::panic::Location::caller().line() }

    /// A function.
    #[allow(missing_docs)]
    pub(crate) unsafe extern "C" fn foreign(&self) -> bool { is_locked(7) }
}

#[cfg_attr(all(), synchronized(key = self.id))]
impl Vm {
    /// A method.
    pub fn conditional(&self) -> bool { is_locked(7) }
}

#[cfg_attr(any(), synchronized(key = self.id))]
impl Vm {
    /// A method.
    pub fn unconditional(&self) -> bool { !is_locked(7) }
}

fn main() {
    let vm = Vm { id: 7 };
    assert!(vm.start() && vm.stop(1) && vm.conditional() && vm.unconditional());
    vm.lints();
    #[allow(deprecated)]
    let line = vm.caller();
    assert_eq!(line, line!() - 1);
    // SAFETY: it asks for nothing.
    assert!(unsafe { vm.foreign() });
}
