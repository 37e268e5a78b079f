//! Types of the user's may be called as those of the language, and have a `Display` alone.

use lockutils::{is_locked, synchronized};
use std::fmt::{Display, Formatter, Result};

#[allow(non_camel_case_types)]
#[derive(Clone, Copy)]
struct u32(bool);

impl Display for u32 {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{:>3}", if self.0 { "on" } else { "off" })
    }
}

#[allow(non_camel_case_types)]
type str = f64;

#[synchronized("vm-{state}/{share}-{id}")]
fn start(state: u32, share: &str, id: u8) -> bool {
    is_locked("vm- on/0.5-7")
}

#[allow(non_camel_case_types)]
#[synchronized("vm-{id}")]
async fn generic<u64: Display>(id: u64) -> bool {
    is_locked("vm-1.5")
}

/// Only one of them is there.
#[synchronized("vm-{id}")]
fn configured(#[cfg(any())] id: i32, #[cfg(all())] id: u32) -> bool {
    is_locked("vm-off")
}

fn main() {
    assert!(start(u32(true), &0.5, 7));
    assert!(futures::executor::block_on(generic(1.5)));
    assert!(configured(u32(false)));
}
