//! Lock files as an engine: how one is taken, waited for, and released.
//!
//! A thread without a timeout waits in the kernel itself. A task, or a thread with a timeout, has
//! another thread wait, see [`sleep`](super::sleep). Where Python polls the same file, and where too
//! many threads wait already, it tries again after a while, at a time that is left to chance.

use super::descriptor::{self, Failure};
use super::directory::FileSpace;
use super::path::{self, Rule};
use super::refresh;
use super::sleep::Claim;
use super::step::{Manner, Sleep, Tried};
use super::table::{self, FileInUse, Linked};
use super::tell::Waiter;
use crate::drive::{By, Patience, Sharable};
use crate::holder::Holder;
use crate::key::Key;
use crate::name::remember;
use crate::outside::{Answer, Ask, Engine, Line, Pause};
use crate::refusal::Refusal;
use crate::site::Site;
use crate::table::policy::Terms;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

/// The engine of lock files, see [`FileLocks`](crate::FileLocks).
#[derive(Clone, Debug)]
pub struct Files {
    pub(super) space: FileSpace,
    /// What the names of its files begin with.
    pub(super) beginning: String,
    /// Whether plain keys have locks, and are themselves the names of their files.
    keeps_plain: bool,
}

/// A lock file that the process uses: held or awaited by a thread or task of it.
#[derive(Debug)]
pub struct FilePlace {
    pub(super) file: FileInUse,
    /// Counts the waiter. After `file`: when its drop has the waiters counted anew, this place is gone.
    waiter: Option<Waiter>,
}

/// What a waiter for a lock file keeps between its steps.
#[derive(Debug, Default)]
pub struct FileWait(Next);

/// When to try for the kernel's lock.
#[derive(Debug, Default)]
enum Next {
    #[default]
    AtOnce,
    /// It was tried for just now, and has come to this.
    Tried(Tried),
    /// When a thread that waits in the kernel has got it.
    Granted(Claim),
    Until(Pause),
}

/// A lock file that is held; dropping it releases.
#[derive(Debug)]
pub struct FileHold {
    by: Arc<Linked>,
    rule: Rule,
}

impl Files {
    pub(super) fn new(mut space: FileSpace, prefix: &str) -> Self {
        let beginning = path::beginning(space.rule, prefix);
        let name = space.directory.path.join(&beginning);
        space.name = remember(name.to_string_lossy().into_owned());
        Self {
            keeps_plain: space.refused.is_none() && path::keeps_plain(space.rule, &beginning),
            space,
            beginning,
        }
    }

    /// The place of a key's lock. What has the name of its key, and is known, is found without making that name.
    pub(super) fn place_of(&self, key: &Key) -> Result<FilePlace, Refusal> {
        if self.keeps_plain {
            if let Some(file) = FileInUse::known_by_key(self.space.directory, key) {
                return Ok(FilePlace::new(file));
            }
        }
        self.place(&self.locate(key)?)
    }

    /// Takes the kernel's lock for a thread that has come to it without a step, if that needs no waiting; else gives
    /// what the first step goes on from. What was taken is released by the file.
    pub(super) fn try_first(
        &self,
        place: &FilePlace,
        Terms { mode, reentry }: Terms,
        site: Site,
    ) -> Result<(), FileWait> {
        let manner = Manner {
            rule: self.space.rule,
            mode,
            reentry,
            site,
            gives_way: true,
        };
        match try_take(&place.file, manner) {
            Ok(Tried::Taken { .. }) => Ok(()),
            Ok(tried) => Err(FileWait(Next::Tried(tried))),
            // The step says what is wrong with it.
            Err(_) => Err(FileWait::default()),
        }
    }

    pub(super) fn path_of(&self, name: &Key) -> PathBuf {
        self.space.directory.path.join(name.as_str())
    }

    fn holder_at(&self, path: &Path) -> Option<Holder> {
        let file = table::open_to_read(path).ok()??;
        descriptor::holder(&file, self.space.rule)
    }

    /// How to go on where another process has the lock. Blocks who may be blocked.
    fn wait_for(
        &self,
        file: &FileInUse,
        manner: Manner,
        patience: Patience,
    ) -> Result<Next, Failure> {
        match (self.space.rule, patience) {
            (Rule::Own, Patience::Thread) => {
                file.block(manner.mode)?;
                Ok(Next::AtOnce)
            }
            (Rule::Own, _) => Ok(match file.wait(manner.mode)? {
                Sleep::For(claim) => Next::Granted(claim),
                Sleep::TooMany => Next::a_while(),
                Sleep::Elsewhere => Next::AtOnce,
            }),
            (Rule::Oslo, _) => Ok(Next::a_while()),
        }
    }
}

/// Takes the kernel's lock if that needs no waiting.
fn try_take(file: &FileInUse, manner: Manner) -> Result<Tried, Failure> {
    let tried = file.try_take(manner)?;
    if matches!(tried, Tried::Taken { anew: true }) {
        refresh::start();
    }
    Ok(tried)
}

impl FilePlace {
    const fn new(file: FileInUse) -> Self {
        Self { file, waiter: None }
    }
}

impl Next {
    /// From one to twenty milliseconds.
    fn a_while() -> Self {
        use std::hash::{BuildHasher as _, RandomState};
        let chance = RandomState::new().hash_one(0) % 19_000;
        Self::Until(Pause::of(Duration::from_micros(1000 + chance)))
    }
}

impl Engine for Files {
    type Place = FilePlace;
    type Wait = FileWait;
    type Hold = FileHold;
    type Proof = ();

    /// Each of them looks whether the file is still the one of its name.
    const SEPARATE_HOLDS: bool = true;

    /// While the kernel's lock stays in the process.
    const IS_BRIEF: bool = true;

    fn name(&self) -> &'static str {
        self.space.name
    }

    fn locate(&self, key: &Key) -> Result<Key, Refusal> {
        if let Some(refused) = self.space.refused {
            return Err(self.space.refuse(refused));
        }
        let name = path::file_name(self.space.rule, &self.beginning, key.as_bytes());
        name.map_err(Refusal::no_file)
    }

    fn place(&self, name: &Key) -> Result<FilePlace, Refusal> {
        let file = FileInUse::of(self.space.directory, name)?;
        Ok(FilePlace::new(file))
    }

    fn poll(
        &self,
        place: &mut FilePlace,
        FileWait(next): &mut FileWait,
        ask: &Ask<'_>,
        by: &By<'_>,
    ) -> Poll<Result<Answer<FileHold>, Refusal>> {
        let looks_once = matches!(by.patience, Patience::Try | Patience::Last);
        loop {
            let manner = Manner {
                rule: self.space.rule,
                mode: ask.mode,
                reentry: ask.reentry,
                site: ask.site,
                // A waiter that was granted the lock has it already, and gives way to nobody.
                gives_way: !looks_once && !matches!(next, Next::Granted(_)),
            };
            match next {
                Next::Granted(claim) => ready!(claim.poll(by.waker()))?,
                Next::Until(_) if looks_once => {}
                Next::Until(pause) => ready!(pause.poll(by)),
                Next::AtOnce | Next::Tried(_) => {}
            }
            let tried = match *next {
                Next::Tried(tried) => tried,
                _ => try_take(&place.file, manner)?,
            };
            *next = Next::AtOnce;
            if matches!(tried, Tried::Busy) && !looks_once {
                self.set_waiting(place, true); // Before it blocks.
                if ask.waits(by) {
                    ask.begins.tell();
                }
            }
            match tried {
                Tried::Taken { .. } => {
                    let (by, rule) = (Arc::clone(place.file.linked()), self.space.rule);
                    return Poll::Ready(Ok(Answer::Granted(FileHold { by, rule })));
                }
                Tried::Busy if !ask.waits(by) => return Poll::Ready(Ok(Answer::Busy)),
                Tried::Busy => *next = self.wait_for(&place.file, manner, by.patience)?,
                Tried::Paused(until) => *next = Next::Until(Pause::until(until)),
                Tried::Elsewhere => return Poll::Ready(Ok(Answer::Moved)),
            }
        }
    }

    fn proof(_hold: &FileHold) {}

    fn set_waiting(&self, place: &mut FilePlace, waits: bool) {
        if !waits {
            place.waiter = None;
        } else if self.space.rule == Rule::Own {
            // Nothing is written into files of the other rule.
            place.waiter.get_or_insert_with(|| place.file.waiter());
        }
    }

    fn wakes_at(&self, FileWait(next): &FileWait) -> Option<Instant> {
        match next {
            Next::Until(pause) => pause.end(),
            Next::AtOnce | Next::Tried(_) | Next::Granted(_) => None,
        }
    }

    fn holder(&self, place: &FilePlace) -> Option<Holder> {
        self.holder_at(&place.file.path())
    }

    fn holder_of(&self, name: &Key) -> Option<Holder> {
        self.holder_at(&self.path_of(name))
    }

    fn is_held_here(&self, place: &FilePlace) -> bool {
        place.file.is_held()
    }

    fn place_anew(&self, former: &FilePlace, _name: &Key) -> Result<FilePlace, Refusal> {
        let file = former.file.anew()?;
        Ok(FilePlace::new(file))
    }

    fn is_same(&self, place: &FilePlace, held: &FilePlace) -> Result<bool, Refusal> {
        Ok(place.file.is_same(&held.file) && place.file.leads_here()?)
    }

    /// Where upper and lower case are one, each caller's first is so the first of all.
    fn order(&self, name: &Key) -> Key {
        Key::new(name.as_str().to_lowercase())
    }

    fn path(&self, name: &Key) -> Option<PathBuf> {
        Some(self.path_of(name))
    }

    fn files(hold: &FileHold) -> io::Result<Vec<File>> {
        Ok(vec![hold.by.duplicate()?])
    }
}

impl Sharable for Files {}

impl AsRef<Line> for FilePlace {
    fn as_ref(&self) -> &Line {
        self.file.line()
    }
}

impl Drop for FileHold {
    fn drop(&mut self) {
        self.by.release(self.rule);
    }
}
