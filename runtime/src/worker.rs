//! Threads of this crate's own, which are started by one function: the compiler makes all of the
//! standard library's code for that anew for each closure.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that is called `name`, with so many bytes of stack; `None` for as many as other threads
/// have, since it calls what the user gave, such as a hook or a waker.
///
/// # Errors
///
/// Where no thread can be had.
pub(crate) fn start(
    name: &str,
    stack: Option<usize>,
    run: Box<dyn FnOnce() + Send>,
) -> io::Result<JoinHandle<()>> {
    let thread = Builder::new().name(name.to_owned());
    let thread = match stack {
        Some(bytes) => thread.stack_size(bytes),
        None => thread,
    };
    thread.spawn(run)
}
