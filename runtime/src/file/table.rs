//! Which lock files the process uses, by which names, and which it keeps open.
//!
//! A file is what its identity says, its device and inode. A [`Link`] is a name that has led
//! to it, and a [`Linked`] the two of them. So all names of a file, through symbolic links, mounts,
//! hard links or upper and lower case, come to one [`LockFile`], with one queue.
//!
//! Where a name leads to may change at any time. A name in use in the process keeps to
//! its file, so that callers who name a lock alike exclude each other also when its file was
//! removed; a caller that gets the lock looks whether the name still leads to it, and else asks for
//! the one that it leads to now, by [`FileInUse::anew`]. A name that isn't in use is believed where
//! the file isn't either, since then nobody waits for it.
//!
//! A file is in the table while somebody in the process holds or awaits its lock, and
//! afterwards for as long as its descriptor is kept: opening it anew would cost several
//! times what taking the lock does. Of the files that nobody uses, those that were used last
//! are kept open, [`KEPT`] of them in all unless [`set_kept`] says otherwise. While it is open
//! no other file can have its identity.
//!
//! The table's mutex may be locked first and a file's then, not the other way round.

use super::descriptor::{Descriptor, Failure};
use super::directory::Directory;
use super::hashed::Hashed;
use super::kernel::LockFile;
use super::link::{Link, Usage, add_one, hash, hash_of, take_one};
use super::path::Rule;
use super::sleep::{Awaited, Sleeper};
use super::step::{Manner, Sleep, Tried};
use super::sys::{Files as _, Identity, Os};
use super::tell::Waiter;
use crate::key::Key;
use crate::outside::Line;
use crate::table::policy::Mode;
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How many files are kept open without being used, unless [`set_kept`] says otherwise.
pub(super) const KEPT: usize = 64;

static FILES: Mutex<Files> = Mutex::new(Files {
    links: Hashed::new(),
    by_identity: Hashed::new(),
    uses: 0,
    kept: 0,
    most_kept: KEPT,
});

struct Files {
    /// By directory and name.
    links: Hashed<Arc<Linked>>,
    /// By identity.
    by_identity: Hashed<Known>,
    /// How often a file was used last by somebody, which gives the order of it.
    uses: u64,
    /// How many are open without being used.
    kept: usize,
    most_kept: usize,
}

/// A lock file that the process knows.
struct Known {
    file: Arc<LockFile>,
    /// The names that lead to it.
    links: Vec<Arc<Linked>>,
}

/// A name, and the lock file that it has led to.
#[derive(Debug)]
pub(super) struct Linked {
    link: Arc<Link>,
    file: Arc<LockFile>,
}

/// A lock file by one of its names, in use for as long as this lives.
#[derive(Debug)]
pub(super) struct FileInUse(Arc<Linked>);

impl FileInUse {
    /// The file that a name leads to, which is made where there is none.
    pub(super) fn of(directory: &'static Directory, name: &Key) -> Result<Self, Failure> {
        Self::other_than(None, directory, name)
    }

    /// The file that the name leads to now, where it no longer leads to this one.
    pub(super) fn anew(&self) -> Result<Self, Failure> {
        let Linked { link, file } = &*self.0;
        Self::other_than(Some(file), link.directory, &link.name)
    }

    /// The file that a key is itself the name of, if the process knows it.
    pub(super) fn known_by_key(directory: &'static Directory, key: &Key) -> Option<Self> {
        let mut files = FILES.lock();
        let is_name = |link: &Link| link.is_key;
        files.known_if(None, directory, key, is_name)
    }

    fn other_than(
        former: Option<&Arc<LockFile>>,
        directory: &'static Directory,
        name: &Key,
    ) -> Result<Self, Failure> {
        let known = FILES.lock().known(former, directory, name);
        if let Some(known) = known {
            return Ok(known);
        }
        let path = directory.path.join(name.as_str());
        let descriptor = with_room(|| Descriptor::open(&path))?;
        let mut spare = Some(descriptor);
        let mut files = FILES.lock();
        let in_use = match files.known(former, directory, name) {
            Some(known) => known,
            None => files.link(directory, name, path, &mut spare),
        };
        drop(files); // Before the descriptor is, if it isn't needed.
        Ok(in_use)
    }

    /// Those of this process who want it.
    pub(super) fn line(&self) -> &Line {
        &self.0.file.line
    }

    /// Counts a waiter, for other processes to see, until it is dropped.
    pub(super) fn waiter(&self) -> Waiter {
        let file = Arc::clone(&self.0.file);
        Waiter::new(file)
    }

    /// Takes the kernel's lock, or a share in it, if that needs no waiting. The caller has the
    /// in-process lock, here and below.
    pub(super) fn try_take(&self, manner: Manner) -> Result<Tried, Failure> {
        let Linked { link, file } = &*self.0;
        with_room(|| file.try_take(link, manner))
    }

    pub(super) fn block(&self, mode: Mode) -> Result<(), Failure> {
        self.0.file.block(mode)
    }

    pub(super) fn wait(&self, mode: Mode) -> Result<Sleep, Failure> {
        with_room(|| self.0.file.wait(&self.0.link.path, mode))
    }

    /// What a lock that was taken by this is released by.
    pub(super) fn linked(&self) -> &Arc<Linked> {
        &self.0
    }

    /// Removes the file, if its name leads to it; tells whether it does.
    pub(super) fn remove(&self) -> Result<bool, Failure> {
        self.0.file.remove(&self.0.link.path)
    }

    pub(super) fn name(&self) -> &Key {
        &self.0.link.name
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.link.path.clone()
    }

    pub(super) fn is_held(&self) -> bool {
        self.0.file.is_held()
    }

    /// Whether they are one file, by whatever names.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.file, &other.0.file)
    }

    /// Whether the name still leads to it.
    pub(super) fn leads_here(&self) -> Result<bool, Failure> {
        self.0.file.is_at(&self.0.link.path)
    }
}

impl Linked {
    /// Releases the lock, which was taken by this name.
    pub(super) fn release(&self, rule: Rule) {
        self.file.release(&self.link, rule);
    }

    /// The open file once more, with the lock.
    pub(super) fn duplicate(&self) -> io::Result<File> {
        with_room(|| self.file.duplicate()).map_err(|failure| failure.source)
    }
}

impl Drop for FileInUse {
    fn drop(&mut self) {
        let mut closed = Vec::new();
        let mut files = FILES.lock();
        let Linked { link, file } = &*self.0;
        take_one(&link.users);
        if take_one(&file.usage.users) == 1 {
            files.put_away(file, &mut closed);
            let most = files.most_kept;
            files.close_beyond(most, &mut closed);
        }
        drop(files); // Before those that are closed are.
    }
}

/// The files whose locks somebody in the process holds or awaits.
pub(super) fn in_use() -> Vec<Arc<LockFile>> {
    let mut in_use = Vec::new();
    FILES.lock().by_identity.for_each(|known| {
        if known.file.usage.users() > 0 {
            in_use.push(Arc::clone(&known.file));
        }
    });
    in_use
}

/// Whether somebody in this process holds the lock of a name.
pub(super) fn is_held(directory: &'static Directory, name: &Key) -> bool {
    known_and_used(directory, name).is_some_and(|file| file.is_held())
}

/// The lock file of a name that somebody in this process uses.
pub(super) fn known_and_used(directory: &'static Directory, name: &Key) -> Option<Arc<LockFile>> {
    FILES.lock().known_and_used(directory, name)
}

/// The lock file of an identity, if the process knows it.
pub(super) fn identified(identity: Identity) -> Option<Arc<LockFile>> {
    let files = FILES.lock();
    let known = files
        .by_identity
        .find(hash_of(&identity), |known| known.is(identity))?;
    Some(Arc::clone(&known.file))
}

/// Sets how many files are kept open at most without being used.
pub(super) fn set_kept(most: usize) {
    let mut closed = Vec::new();
    let mut files = FILES.lock();
    files.most_kept = most;
    files.close_beyond(most, &mut closed);
    drop(files);
}

/// Does what opens a file, and does it again where there is no descriptor left: the files that
/// are kept open for speed are the first to do without. Called without a file's mutex.
pub(super) fn with_room<T>(open: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    match open() {
        Err(failure) if failure.is_for_descriptors() => {
            close_unused();
            open()
        }
        opened => opened,
    }
}

/// Opens a lock file to look at it; `None` if there is no such file.
pub(super) fn open_to_read(path: &Path) -> Result<Option<File>, Failure> {
    let open = || Os::open_to_read(path).map_err(Failure::of("look at lock file"));
    match with_room(open) {
        Ok(file) => Ok(Some(file)),
        Err(failure) if failure.source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Closes all files that nobody uses.
fn close_unused() {
    let mut closed = Vec::new();
    let mut files = FILES.lock();
    files.close_beyond(0, &mut closed);
    drop(files);
}

impl Awaited for LockFile {
    fn lock_for(self: Arc<Self>, sleeper: &Sleeper) -> Result<(), Failure> {
        self.lock_by(&sleeper.descriptor, sleeper.mode)
    }

    fn take_over(&self, sleeper: &Sleeper) {
        self.take_from(sleeper);
    }

    fn end(self: Arc<Self>, sleeper: &Arc<Sleeper>) {
        self.end_sleep(sleeper);
        tidy(&self);
    }
}

/// Forgets a file of which nothing is left.
fn tidy(file: &Arc<LockFile>) {
    let mut closed = Vec::new();
    let mut files = FILES.lock();
    if file.usage.users() == 0 {
        files.put_away(file, &mut closed);
    }
    drop(files);
}

impl Files {
    /// The file of a name, if the name is to be believed and it isn't the former one.
    fn known(
        &mut self,
        former: Option<&Arc<LockFile>>,
        directory: &'static Directory,
        name: &Key,
    ) -> Option<FileInUse> {
        self.known_if(former, directory, name, |_| true)
    }

    /// The same, if it is so of the name.
    #[inline]
    fn known_if(
        &mut self,
        former: Option<&Arc<LockFile>>,
        directory: &'static Directory,
        name: &Key,
        is_so: impl Fn(&Link) -> bool,
    ) -> Option<FileInUse> {
        let hash = hash(directory, name);
        let linked = self
            .links
            .find(hash, |linked| linked.link.is(directory, name))?;
        let Linked { link, file } = &**linked;
        if !is_so(link) {
            return None;
        }
        let is_used = link.users.load(Ordering::Relaxed) > 0;
        let is_believed = is_used || file.usage.users() == 0;
        let is_former = former.is_some_and(|former| Arc::ptr_eq(former, file));
        let linked = (is_believed && !is_former).then(|| Arc::clone(linked))?;
        Some(self.begin_use(linked))
    }

    /// The file of a name that somebody uses.
    fn known_and_used(&self, directory: &'static Directory, name: &Key) -> Option<Arc<LockFile>> {
        let hash = hash(directory, name);
        let linked = self
            .links
            .find(hash, |linked| linked.link.is(directory, name))?;
        let is_used = linked.link.users.load(Ordering::Relaxed) > 0;
        is_used.then(|| Arc::clone(&linked.file))
    }

    /// Makes a name lead to the file that was opened by it. Takes the descriptor if the file
    /// was not known.
    fn link(
        &mut self,
        directory: &'static Directory,
        name: &Key,
        path: PathBuf,
        descriptor: &mut Option<Descriptor>,
    ) -> FileInUse {
        self.unlink(directory, name);
        let opened = descriptor.as_ref().expect("it was opened");
        let identity = opened.identity;
        let of_identity = hash_of(&identity);
        let is_it = |known: &Known| known.is(identity);
        let known = self.by_identity.remove(of_identity, is_it);
        let mut known = known.unwrap_or_else(|| {
            let opened = descriptor.take().expect("it was opened");
            Known {
                file: Arc::new(LockFile::new(directory, name.clone(), opened)),
                links: Vec::new(),
            }
        });
        let linked = Arc::new(Linked {
            link: Arc::new(Link::new(directory, name.clone(), path)),
            file: Arc::clone(&known.file),
        });
        known.links.push(Arc::clone(&linked));
        add_one(&known.file.usage.names);
        self.by_identity.insert(of_identity, known);
        let hash = hash(directory, name);
        self.links.insert(hash, Arc::clone(&linked));
        self.begin_use(linked)
    }

    /// Forgets where a name has led to. Who uses that file goes on.
    fn unlink(&mut self, directory: &'static Directory, name: &Key) {
        let hash = hash(directory, name);
        let is_it = |linked: &Arc<Linked>| linked.link.is(directory, name);
        let Some(linked) = self.links.remove(hash, is_it) else {
            return;
        };
        let is_its = |known: &Known| Arc::ptr_eq(&known.file, &linked.file);
        if let Some(known) = self
            .by_identity
            .find_mut(hash_of(&linked.file.identity), is_its)
        {
            known.links.retain(|other| !Arc::ptr_eq(other, &linked));
            take_one(&known.file.usage.names);
        }
    }

    fn begin_use(&mut self, linked: Arc<Linked>) -> FileInUse {
        let Usage {
            users, kept_since, ..
        } = &linked.file.usage;
        add_one(&linked.link.users);
        add_one(users);
        if kept_since.load(Ordering::Relaxed) != 0 {
            kept_since.store(0, Ordering::Relaxed);
            self.kept -= 1;
        }
        FileInUse(linked)
    }

    /// Keeps or forgets a file that nobody uses.
    fn put_away(&mut self, file: &Arc<LockFile>, closed: &mut Vec<Known>) {
        let rest = file.put_away();
        let Usage {
            kept_since, names, ..
        } = &file.usage;
        if rest.is_open && names.load(Ordering::Relaxed) > 0 {
            if kept_since.load(Ordering::Relaxed) == 0 {
                self.uses += 1;
                kept_since.store(self.uses, Ordering::Relaxed);
                self.kept += 1;
            }
        } else if !rest.is_awaited {
            let is_it = |known: &Known| Arc::ptr_eq(&known.file, file);
            let known = self.by_identity.remove(hash_of(&file.identity), is_it);
            if let Some(known) = known {
                self.forget(known, closed);
            }
        }
    }

    /// Closes those that were used longest ago.
    fn close_beyond(&mut self, most: usize, closed: &mut Vec<Known>) {
        while self.kept > most {
            let mut oldest = None;
            self.by_identity.for_each(|known| {
                let Some(since) = known.kept_since() else {
                    return;
                };
                if oldest.is_none_or(|(oldest, _)| since < oldest) {
                    oldest = Some((since, known.file.identity));
                }
            });
            let Some((oldest, identity)) = oldest else {
                return;
            };
            let is_it = |known: &Known| known.kept_since() == Some(oldest);
            if let Some(known) = self.by_identity.remove(hash_of(&identity), is_it) {
                self.forget(known, closed);
            }
        }
    }

    /// Forgets the names of a file that is out of the table.
    fn forget(&mut self, known: Known, closed: &mut Vec<Known>) {
        for linked in &known.links {
            let is_it = |other: &Arc<Linked>| Arc::ptr_eq(other, linked);
            self.links.remove(linked.link.hash(), is_it);
        }
        known.file.usage.names.store(0, Ordering::Relaxed);
        self.kept -= usize::from(known.kept_since().is_some());
        closed.push(known);
    }
}

impl Known {
    fn is(&self, identity: Identity) -> bool {
        Os::TELLS_APART && self.file.identity == identity
    }

    fn kept_since(&self) -> Option<u64> {
        let since = self.file.usage.kept_since.load(Ordering::Relaxed);
        (since != 0).then_some(since)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::FileLocks;
    use std::fs;

    /// As somebody may do just after one has got the lock, or has looked.
    #[test]
    fn file_that_was_put_in_its_place_is_not_removed() {
        let directory = std::env::temp_dir().join(format!("lockutils-put-{}", std::process::id()));
        let locks = FileLocks::new(&directory);
        let guard = locks.key("key").lock().unwrap();
        let file = FileInUse::of(Directory::at(directory.clone()), &Key::new("key")).unwrap();
        let path = file.path();
        fs::rename(&path, directory.join("moved")).unwrap();
        assert!(!file.remove().unwrap());
        fs::write(&path, "another").unwrap();
        assert!(!file.remove().unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"another");
        drop((guard, file));
        // At once: it has just been seen that the file is another one.
        assert!(locks.remove("key").unwrap());
        assert!(!path.exists() && directory.join("moved").exists());
        fs::remove_dir_all(&directory).unwrap();
    }
}
