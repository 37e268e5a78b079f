//! The body and the key of an unsafe function are in its unsafe context.
#![deny(warnings)]
#![allow(unsafe_op_in_unsafe_fn)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

union Bits {
    float: f32,
    bits: u32,
}

#[synchronized(key = *pointer)]
unsafe fn read(pointer: *const u32) -> bool {
    let value = *pointer;
    is_locked(value)
}

#[synchronized(key = bits.bits)]
unsafe fn field(bits: Bits) -> f32 {
    bits.float
}

#[synchronized("unsafe")]
async unsafe fn task(pointer: *const u32) -> u32 {
    read(pointer);
    *pointer
}

unsafe trait Touch {
    /// # Safety
    ///
    /// None.
    unsafe fn touch(&self) -> bool;
}

unsafe impl Touch for u32 {
    #[synchronized(key = self)]
    unsafe fn touch(&self) -> bool {
        is_locked(self)
    }
}

fn main() {
    // SAFETY: the pointers are to a value that lives on.
    unsafe {
        assert!(read(&7));
        assert_eq!(field(Bits { float: 1.5 }), 1.5);
        assert_eq!(block_on(task(&7)), 7);
        assert!(7.touch());
    }
}
