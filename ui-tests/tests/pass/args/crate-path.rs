//! `crate = PATH`: where `lockutils` is under another name.
#![deny(warnings)]

mod reexport {
    pub mod deep {
        pub use ::lockutils as locking;
    }
}

use futures::executor::block_on;
use reexport::deep::locking::{Locks, is_locked, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized("a", crate = reexport::deep::locking)]
fn relative() -> bool {
    is_locked("a")
}

#[synchronized("a", crate = crate::reexport::deep::locking, locks = VMS)]
async fn from_the_root() -> bool {
    VMS.key("a").is_locked()
}

#[synchronized(crate = self::reexport::deep::locking)]
fn own() {}

#[synchronized(crate = ::lockutils)]
fn absolute() {}

macro_rules! vendored {
    () => {
        #[synchronized("b", crate = $crate::reexport::deep::locking)]
        fn from_a_macro() -> bool {
            is_locked("b")
        }
    };
}

vendored!();

fn main() {
    assert!(relative() && from_a_macro() && block_on(from_the_root()));
    own();
    absolute();
}
