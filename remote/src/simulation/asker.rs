//! Those who ask: tasks that take locks as a program's tasks do, of the space of their process.

use super::process::Taking;
use super::schedule::Wish;
use lockutils::{AsyncLeaseGuard, Error, Lost};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

pub(super) struct Asker {
    pub(super) wish: Wish,
    pub(super) life: u32,
    pub(super) doing: Doing,
    /// When it came.
    pub(super) came: u64,
    pub(super) called: Arc<Called>,
}

/// What an asker does.
pub(super) enum Doing {
    /// It comes, or waits.
    Asking(Option<Taking>),
    Holding {
        guard: AsyncLeaseGuard,
        lost: Lost,
        /// Of each lock, in the order of the guard.
        claims: Vec<usize>,
        /// By the clock of the process.
        since: u64,
    },
    Releasing {
        release: Pin<Box<dyn Future<Output = Result<(), Error>>>>,
        claims: Vec<usize>,
        was_lost: bool,
    },
    /// It has gone, or is served.
    Done,
}

/// Whether a task is to go on.
#[derive(Debug, Default)]
pub(super) struct Called(AtomicBool);

impl Called {
    /// Takes note of it.
    pub(super) fn heard(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Asker {
    pub(super) fn new(wish: Wish, life: u32, came: u64) -> Self {
        Self {
            wish,
            life,
            doing: Doing::Asking(None),
            came,
            called: Arc::default(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.doing, Doing::Done)
    }
}
