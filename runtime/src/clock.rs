//! The clocks of Linux, as numbers: std has one of them, and only differences.

use std::mem::MaybeUninit;

/// The time by a clock that each kernel has which Rust runs on.
#[inline]
pub(crate) fn read(clock: libc::clockid_t) -> libc::timespec {
    // Not by its fields: where a time has more bits than a pointer, there is one that nobody may name.
    let mut now = MaybeUninit::<libc::timespec>::zeroed();
    #[expect(unsafe_code, reason = "std can't be asked for them")]
    // SAFETY: there is room for what is written, and zeros are a time, too.
    unsafe {
        libc::clock_gettime(clock, now.as_mut_ptr());
        now.assume_init()
    }
}
