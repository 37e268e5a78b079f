//! An open lock file.

use super::behind::{self, Behind};
use super::count::{Count, Lines};
use super::own;
use super::path::Rule;
use super::record::{self, Content, FileRecord, LENGTH};
use super::sys::{Files as _, Glance, Identity, KernelLocks as _, Locker, Os};
use super::teller::Teller;
use crate::holder::Holder;
use crate::process;
use crate::site::Site;
use crate::table::policy::Mode;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// What was tried with a lock file, and why it failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) tried: &'static str,
    pub(super) source: io::Error,
}

impl Failure {
    pub(super) fn of(tried: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { tried, source }
    }

    /// Whether it comes of what others make and remove at the same time.
    fn may_pass(&self) -> bool {
        use io::ErrorKind as Kind;
        matches!(self.source.kind(), Kind::NotFound | Kind::AlreadyExists)
    }

    /// Whether the process, or the machine, has no descriptor left.
    pub(super) fn is_for_descriptors(&self) -> bool {
        Os::is_for_descriptors(&self.source)
    }
}

/// An open lock file, and so one holder or waiter in the kernel's eyes.
#[derive(Debug)]
pub(super) struct Descriptor {
    file: File,
    pub(super) identity: Identity,
    /// The process that has opened it. With the child of a fork it shares the lock.
    process: u32,
    /// Whether the file's time of change says whether it has changed.
    pub(super) tells_changes: bool,
}

impl Descriptor {
    /// Opens the file; makes it, and its directory with all parents, where they are missing.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let file = open_or_make(path)?;
        let found = file.metadata().map_err(Failure::of("look at lock file"))?;
        if !found.is_file() {
            let error = io::Error::new(io::ErrorKind::AlreadyExists, "not a regular file");
            return Err(Failure::of("use lock file")(error));
        }
        refuse_planted(&found, path)?;
        if path.parent().is_some_and(own::is_own) {
            Os::protect(&file, &found);
        }
        let identity = Os::identity(&file).map_err(Failure::of("look at lock file"))?;
        Ok(Self {
            tells_changes: Os::tells_changes(&file),
            file,
            identity,
            process: process::id(),
        })
    }

    /// Whether this process has opened it, and not the one that has forked it.
    pub(super) fn is_own(&self) -> bool {
        self.process == process::id()
    }

    pub(super) fn try_lock(&self, mode: Mode) -> Result<bool, Failure> {
        #[cfg(all(test, not(loom)))]
        ASKED.set(ASKED.get() + 1);
        Os::try_lock(&self.file, mode).map_err(Failure::of("lock file"))
    }

    /// Blocks the thread until it has the lock.
    pub(super) fn lock(&self, mode: Mode) -> Result<(), Failure> {
        Os::lock(&self.file, mode).map_err(Failure::of("lock file"))
    }

    pub(super) fn unlock(&self) -> Result<(), Failure> {
        Os::unlock(&self.file).map_err(Failure::of("unlock file"))
    }

    /// Whether the file is still the one at the path. A file that isn't excludes nobody who
    /// comes later.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, Failure> {
        let found = Os::identity_at(path).map_err(Failure::of("look at lock file"))?;
        match found {
            Some((identity, found)) if identity == self.identity => {
                // Again, since it may have lost a name just while it was opened. Here what
                // is at the path, and how many names that has, is seen at once.
                refuse_planted(&found, path)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Whether the file still has a name, and when it was changed last.
    pub(super) fn glance(&self) -> Result<Glance, Failure> {
        Os::glance(&self.file).map_err(Failure::of("look at lock file"))
    }

    /// Shows those who remove old files that it is in use.
    pub(super) fn touch(&self) {
        // Where it fails they may remove it, as they do with files that are held for less long.
        let _ = Os::touch(&self.file);
    }

    /// Reads what is in the file, if it can be read.
    pub(super) fn content(&self) -> Option<Content> {
        let mut content = Content::EMPTY;
        read(&self.file, &mut content).is_ok().then_some(content)
    }

    /// Shows those who take the lock again and again that somebody waits.
    pub(super) fn mark(&self) {
        // Those who don't see it go on until they are too late once.
        if Os::may_write(LENGTH + record::MARK) {
            let _ = Os::write(&self.file, LENGTH, &record::mark());
        }
    }

    /// Writes down how many of this process wait, where the file doesn't say so, and tells whether
    /// it has written that any do.
    pub(super) fn tell(&self, by: Teller, count: Count) -> bool {
        let lines = lines(&self.file);
        let write = lines.ok().and_then(|lines| lines.telling(by, count));
        write.is_some_and(|write| self.write(write)) && count != Count::default()
    }

    /// Takes back what [`Descriptor::tell`] of this process wrote.
    pub(super) fn retract(&self) {
        let lines = lines(&self.file);
        if let Some(write) = lines.ok().and_then(|lines| lines.retraction()) {
            self.write(write);
        }
    }

    /// Says what this process, which has the lock, waits for; tells whether it is said.
    pub(super) fn say(&self, what: &Behind) -> bool {
        let Ok(lines) = behind(&self.file) else {
            return false;
        };
        let is_said = lines.believed(what.by.namespace).any(|line| line == *what);
        is_said || lines.saying(what).is_some_and(|write| self.write(write))
    }

    /// Takes back what [`Descriptor::say`] of this process wrote.
    pub(super) fn unsay(&self) {
        let lines = behind(&self.file).ok();
        if let (Some(lines), Some(namespace)) = (lines, record::namespace()) {
            lines
                .retraction(process::id(), namespace)
                .map(|write| self.write(write));
        }
    }

    /// Writes what is for those who look.
    fn write<const LENGTH: usize>(&self, (offset, bytes): (usize, [u8; LENGTH])) -> bool {
        Os::may_write(offset + LENGTH) && Os::write(&self.file, offset, &bytes).is_ok()
    }

    /// Writes down that this process holds the lock, in a file that has `content` in it. Gives
    /// what is there now, but for the mark of a process that may have begun to wait meanwhile: it is to be
    /// seen the next time.
    ///
    /// It is for people that look for the holder: where it can't be written, since the disk
    /// is full or the process may write no file, the lock is as good without.
    pub(super) fn record(&self, site: Site, content: Option<&Content>) -> Option<Content> {
        let record = FileRecord::of_this_process(site).to_bytes();
        if Os::may_write(LENGTH) && Os::write(&self.file, 0, &record).is_ok() {
            return content.map(|content| content.with_record(&record));
        }
        // What is there names somebody who had the lock before. Taking it away needs no room;
        // where not even that can be done, it stays.
        let _ = self.file.set_len(0);
        self.content()
    }

    /// The same open file, and so the same holder.
    pub(super) fn duplicate(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if self.is_own() {
            // Explicitly: closing alone keeps the lock where a child has the descriptor too.
            // Where it fails there is nothing else to do.
            let _ = self.unlock();
        }
    }
}

#[cfg(all(test, not(loom)))]
thread_local! {
    /// How often a thread has asked the kernel whether a lock is free.
    pub(super) static ASKED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// How often a file, or its directory, may be made and removed by others while one tries to
/// open it.
const ATTEMPTS: usize = 100;

/// Opens a lock file, and makes it, and its directory with all parents, where they are missing.
fn open_or_make(path: &Path) -> Result<File, Failure> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let tried = check_directory(path)
            .and_then(|()| try_to_open_or_make(path).map_err(Failure::of("open lock file")));
        match tried {
            // Something was there and is gone, or the other way round: somebody else makes or
            // removes it just now. If it stays so, that is what is wrong.
            Err(failure) if attempts < ATTEMPTS && failure.may_pass() => {}
            tried => return tried,
        }
    }
}

fn check_directory(path: &Path) -> Result<(), Failure> {
    let checked = path.parent().map_or(Ok(()), own::check);
    checked.map_err(Failure::of("use the directory of lock file"))
}

fn try_to_open_or_make(path: &Path) -> io::Result<File> {
    // First as it is: asked to make a file, Linux refuses to open one that is another user's
    // in a sticky directory (`fs.protected_regular`).
    match Os::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match (Os::make(path), path.parent()) {
        // The user's own is made by its check, for nobody else.
        (Err(error), Some(directory))
            if error.kind() == io::ErrorKind::NotFound && !own::is_own(directory) =>
        {
            fs::create_dir_all(directory)?;
            Os::make(path)
        }
        (made, _) => made,
    }
}

/// Refuses a file that another user may have put there under a second name: another program's, which
/// would be written over.
fn refuse_planted(found: &Metadata, path: &Path) -> Result<(), Failure> {
    if !Os::may_be_planted(found, path) {
        return Ok(());
    }
    let reason = "it has another name as well, and others can write to its directory";
    let error = io::Error::new(io::ErrorKind::TooManyLinks, reason);
    Err(Failure::of("use lock file")(error))
}

/// The holder in the way of an exclusive lock, as far as it is known.
pub(super) fn holder(file: &File, rule: Rule) -> Option<Holder> {
    match Os::locker(file) {
        Ok(None) => return None,
        Ok(Some(Locker::Process(pid))) => {
            return Some(Holder::of_elsewhere(record::stranger(pid)));
        }
        Ok(Some(Locker::Unnamed)) | Err(_) if rule == Rule::Oslo => return None,
        Ok(Some(Locker::Unnamed)) | Err(_) => {}
    }
    let record = record(file).ok()??;
    let process = if record.may_be_alive() {
        record.into()
    } else {
        record.heirs()?
    };
    Some(Holder::of_elsewhere(process))
}

/// What is written in a lock file; `None` if that isn't a record.
pub(super) fn record(file: &File) -> io::Result<Option<FileRecord>> {
    let mut content = Content::EMPTY;
    read(file, &mut content)?;
    Ok(content.record())
}

/// How many of other processes wait, as far as that is written in the file.
pub(super) fn lines(file: &File) -> io::Result<Lines> {
    Lines::read(|bytes| Os::read(file, bytes))
}

/// What holders of it wait for, as far as that is written in the file.
pub(super) fn behind(file: &File) -> io::Result<behind::Lines> {
    behind::Lines::read(|bytes| Os::read(file, bytes))
}

fn read(file: &File, content: &mut Content) -> io::Result<()> {
    content.fill(|bytes| Os::read(file, bytes))
}
