//! Functions of other calling conventions, as callbacks.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

#[synchronized(key = id)]
extern "C" fn callback(id: u32) -> bool {
    is_locked(id)
}

#[synchronized(key = id)]
extern "C-unwind" fn unwinds(id: u32) -> bool {
    assert!(id > 0, "unwinds");
    is_locked(id)
}

#[synchronized("system")]
pub unsafe extern "system" fn system(value: *const u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { *value }
}

#[synchronized("no mangle")]
#[unsafe(no_mangle)]
#[allow(improper_ctypes_definitions)]
pub extern "C" fn lockutils_ui_tests_no_mangle(text: &str) -> usize {
    text.len()
}

#[synchronized("default abi")]
#[allow(missing_abi)]
extern fn default_abi() -> bool {
    is_locked("default abi")
}

fn main() {
    let functions: [extern "C" fn(u32) -> bool; 1] = [callback];
    assert!(functions[0](7) && unwinds(7) && default_abi());
    assert!(std::panic::catch_unwind(|| unwinds(0)).is_err() && !is_locked(0));
    // SAFETY: it is a pointer to a value.
    assert_eq!(unsafe { system(&7) }, 7);
    assert_eq!(lockutils_ui_tests_no_mangle("ab"), 2);
}
