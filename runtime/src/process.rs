//! What a process is called, and what belongs to one process and not to the child of its fork.
//!
//! The child of a `fork` that starts no program has a copy of all memory, and one thread. What
//! says that a thread runs, or has a mutex in it that another thread had that moment, is wrong
//! there. So it is kept with the id of its process, and the child makes its own. To ask for the
//! id is a system call, so this is not for fast paths.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;
use std::{env, process};

/// What this process was started as, without the folder.
pub(crate) fn name() -> String {
    let name = env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or(OsStr::new("?"));
    name.to_string_lossy().into_owned()
}

/// A value of which each process has its own.
#[derive(Debug)]
pub(crate) struct OfProcess<T: 'static>(OnceLock<Value<T>>);

#[derive(Debug)]
struct Value<T> {
    process: u32,
    it: T,
    /// That of the child that has a copy of this one.
    of_child: OnceLock<Box<Self>>,
}

impl<T> OfProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value of this process, which is made if it has none.
    pub(crate) fn get_or_init(&self, make: impl Fn() -> T) -> &T {
        let process = process::id();
        let new = || Value {
            process,
            it: make(),
            of_child: OnceLock::new(),
        };
        let mut last = self.0.get_or_init(new);
        while let Some(of_child) = last.of_child.get() {
            last = of_child;
        }
        if last.process != process {
            last = last.of_child.get_or_init(|| Box::new(new()));
        }
        &last.it
    }
}

impl<T: Default> OfProcess<T> {
    pub(crate) fn get(&self) -> &T {
        self.get_or_init(T::default)
    }
}

/// The system's id of a thread, as debuggers and `/proc` know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadId {
    process: u32,
    id: u32,
}

impl ThreadId {
    /// That of the calling thread; `None` where the system has none, or none that users see.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn current() -> Option<Self> {
        // SAFETY: it takes nothing, and can't fail.
        #[expect(unsafe_code, reason = "std doesn't tell")]
        let id = unsafe { libc::gettid() };
        Some(Self {
            process: process::id(),
            id: u32::try_from(id).ok()?,
        })
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) const fn current() -> Option<Self> {
        None
    }

    /// The id; `None` in a child of its process, where the thread has another one.
    pub(crate) fn get(self) -> Option<u32> {
        (self.process == process::id()).then_some(self.id)
    }
}
