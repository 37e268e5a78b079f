//! What tests do in the child of a fork.

/// For a child that takes no mutex which another thread may have.
#[expect(unsafe_code, reason = "the standard library has no fork")]
pub(crate) fn fork() -> libc::pid_t {
    // SAFETY: it is said above what the child does.
    unsafe { libc::fork() }
}

/// Whether it is so in the child of such a fork, which returns as `fork` does.
#[expect(unsafe_code, reason = "the standard library has no fork")]
pub(crate) fn is_so_in_child(fork: impl Fn() -> libc::pid_t, is_so: impl FnOnce() -> bool) -> bool {
    let child = fork();
    if child == 0 {
        // SAFETY: it takes and changes nothing. A child that hangs is ended by it.
        unsafe { libc::alarm(60) };
        let status = i32::from(!is_so());
        // SAFETY: the process ends here, without what the test would do at its end.
        unsafe { libc::_exit(status) }
    }
    assert!(child > 0, "there is a child");
    let mut status = -1;
    // SAFETY: there is room for the status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status == 0
}
