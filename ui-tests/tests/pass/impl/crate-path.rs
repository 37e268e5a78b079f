//! The block's `crate` holds for methods with an attribute of their own as well.
#![deny(warnings)]

mod vendored {
    pub use lockutils as locking;
}

use vendored::locking::{is_locked, synchronized};

struct Vm(u32);

#[synchronized(key = self.0, crate = vendored::locking)]
impl Vm {
    fn start(&self) -> bool {
        is_locked(7)
    }

    #[synchronized("own")]
    fn stop(&self) -> bool {
        is_locked("own")
    }

    #[synchronized(key = "path", crate = crate::vendored::locking)]
    fn pause(&self) -> bool {
        is_locked("path")
    }

    #[synchronized(skip)]
    fn skipped(&self) -> bool {
        !is_locked(7)
    }
}

fn main() {
    assert!(Vm(7).start() && Vm(7).stop() && Vm(7).pause() && Vm(7).skipped());
}
