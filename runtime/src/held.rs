//! What a guard holds: one lock, or several.

use crate::name::Taken;
use crate::table::{self, Hold};
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;

/// What a guard holds, where that is more than one in-process lock.
pub trait Holding: Send + Sync {
    /// The locks, in the order in which they were taken.
    fn taken(&self) -> Vec<Taken>;

    /// Clears the owner: the guard may be dropped by any thread.
    fn disown(&self);

    /// Gives the lock files that it holds, opened a second time each; none in process.
    fn files(&self) -> io::Result<Vec<File>> {
        Ok(Vec::new())
    }
}

/// What a guard holds. Dropping it releases.
///
/// It moves the holds out to drop them, since the address of what is dropped in place goes
/// to code that isn't inlined, and so it could not be kept in registers.
pub struct Held(ManuallyDrop<Holds>);

enum Holds {
    InProcess(Hold),
    /// In two boxes, of which the outer one is a word.
    More(Box<Box<dyn Holding>>),
}

/// Several locks, in the order in which they were taken. They are released in reverse.
pub(crate) struct AllHeld<H>(pub(crate) Vec<H>);

impl Held {
    /// What [`table::fast::try_take_thin`] has taken.
    #[inline]
    pub(crate) const fn thin(hash: u64) -> Self {
        Self::in_process(Hold::thin(hash))
    }

    #[inline]
    pub(crate) const fn in_process(hold: Hold) -> Self {
        Self(ManuallyDrop::new(Holds::InProcess(hold)))
    }

    pub(crate) fn more(held: Box<dyn Holding>) -> Self {
        Self(ManuallyDrop::new(Holds::More(Box::new(held))))
    }

    /// The locks, for people.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        match &*self.0 {
            Holds::InProcess(hold) => table::taken(hold),
            Holds::More(held) => held.taken(),
        }
    }

    /// Clears the owners: the guard may be dropped by any thread.
    pub(crate) fn disown(&self) {
        match &*self.0 {
            Holds::InProcess(hold) => table::disown(hold),
            Holds::More(held) => held.disown(),
        }
    }

    /// Gives the lock files that it holds, opened a second time each; none in process.
    pub(crate) fn files(&self) -> io::Result<Vec<File>> {
        match &*self.0 {
            Holds::InProcess(_) => Ok(Vec::new()),
            Holds::More(held) => held.files(),
        }
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is the only place that takes it out, and nobody sees it afterwards.
        #[expect(unsafe_code, reason = "moved out while it is dropped")]
        match unsafe { ManuallyDrop::take(&mut self.0) } {
            Holds::InProcess(hold) => drop(hold),
            Holds::More(held) => release_more(held),
        }
    }
}

#[cold]
fn release_more(held: Box<Box<dyn Holding>>) {
    drop(held);
}

impl From<Hold> for Held {
    #[inline]
    fn from(hold: Hold) -> Self {
        Self::in_process(hold)
    }
}

impl Holding for Hold {
    fn taken(&self) -> Vec<Taken> {
        table::taken(self)
    }

    fn disown(&self) {
        table::disown(self);
    }
}

/// What is large is in a box from the beginning, so that it isn't moved.
impl<H: Holding> Holding for Box<H> {
    fn taken(&self) -> Vec<Taken> {
        (**self).taken()
    }

    fn disown(&self) {
        (**self).disown();
    }

    fn files(&self) -> io::Result<Vec<File>> {
        (**self).files()
    }
}

impl<H: Holding> Holding for AllHeld<H> {
    fn taken(&self) -> Vec<Taken> {
        let mut taken = Vec::new();
        self.0
            .iter()
            .for_each(|held| taken.append(&mut held.taken()));
        taken
    }

    fn disown(&self) {
        self.0.iter().for_each(H::disown);
    }

    fn files(&self) -> io::Result<Vec<File>> {
        let mut files = Vec::new();
        for held in &self.0 {
            files.append(&mut held.files()?);
        }
        Ok(files)
    }
}

impl<H> Drop for AllHeld<H> {
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}
