//! What a process is called, and what belongs to one process and not to the child of its fork.
//!
//! The child of a `fork` that starts no program has a copy of all memory, and one thread. What
//! says that a thread runs, or has a mutex in it that another thread had that moment, is wrong
//! there. So it is kept with the id of its process, and the child makes its own.
//!
//! To ask the system for the id is a call that costs as much as all else that a look at such a
//! value does. So Linux keeps it in a page that the kernel empties in the child of any fork,
//! also of one that no library knows of.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::ptr;
use std::sync::OnceLock;
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// What this process was started as, without the folder.
pub(crate) fn name() -> String {
    let name = env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().unwrap_or(OsStr::new("?"));
    name.to_string_lossy().into_owned()
}

/// The process that the first thread of another one has started last, of those that haven't ended. `None`
/// also where it can't be seen, as on other systems than Linux.
pub(crate) fn last_child(of: u32) -> Option<u32> {
    // The kernel lists them in the order of their start.
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).ok()?;
    children.split_whitespace().next_back()?.parse().ok()
}

/// The id of this process, also in the child of a fork.
#[cfg(target_os = "linux")]
pub(crate) fn id() -> u32 {
    static KNOWN: Emptied = Emptied::new();

    let Some(known) = KNOWN.get(map) else {
        return std::process::id();
    };
    // Relaxed, here and below: the number is all there is to see, and all threads write the same.
    match known.load(Ordering::Relaxed) {
        0 => {
            let id = std::process::id();
            known.store(id, Ordering::Relaxed);
            id
        }
        id => id,
    }
}

/// The id of this process, also in the child of a fork.
#[cfg(not(target_os = "linux"))]
pub(crate) fn id() -> u32 {
    std::process::id()
}

/// A number in memory that is zero again in the child of a fork.
///
/// It has no lock: whoever asks first makes one, and the first of those counts. A thread that isn't there in a
/// child of a fork, which was made that moment, keeps nobody waiting there.
#[cfg(target_os = "linux")]
struct Emptied(AtomicPtr<AtomicU32>);

/// What [`Emptied`] has where the kernel empties no pages, which those before 4.14 don't.
#[cfg(target_os = "linux")]
static NO_PAGE: AtomicU32 = AtomicU32::new(0);

#[cfg(target_os = "linux")]
impl Emptied {
    const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The number, in a page that is mapped if there is none.
    fn get(&self, map: impl FnOnce() -> Option<&'static AtomicU32>) -> Option<&'static AtomicU32> {
        // Acquire, here and below, pairs with the release of who has made it.
        let mut known = self.0.load(Ordering::Acquire);
        if known.is_null() {
            let page = map().unwrap_or(&NO_PAGE);
            let own = ptr::from_ref(page).cast_mut();
            let none = ptr::null_mut();
            let (made, failed) = (Ordering::AcqRel, Ordering::Acquire);
            known = match self.0.compare_exchange(none, own, made, failed) {
                Ok(_) => own,
                Err(first) => {
                    unmap(page);
                    first
                }
            };
        }
        // SAFETY: it isn't null by now, and only references that last for ever become one.
        #[expect(unsafe_code, reason = "a pointer that stands for a reference")]
        let known = unsafe { &*known };
        Some(known).filter(|known| !ptr::eq(*known, &raw const NO_PAGE))
    }
}

/// All of a page is had in any case.
#[cfg(target_os = "linux")]
const LENGTH: usize = size_of::<u32>();

/// Maps zero in memory of its own, which is zero again in the child of a fork.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library maps no memory")]
fn map() -> Option<&'static AtomicU32> {
    /// Who takes it, as QEMU does where it stands for the kernel, takes any and follows none.
    const NO_ADVICE: i32 = -1;

    let (access, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: the kernel chooses where, so nothing that is in use is replaced.
    let page = unsafe { libc::mmap(ptr::null_mut(), LENGTH, access, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the page is this function's alone, and nothing is in it yet.
    let advise = |advice| unsafe { libc::madvise(page, LENGTH, advice) } == 0;
    if advise(NO_ADVICE) || !advise(libc::MADV_WIPEONFORK) {
        // SAFETY: nothing refers to it.
        unsafe { libc::munmap(page, LENGTH) };
        return None;
    }
    // SAFETY: it is mapped until `unmap`, zero, aligned to a page, and from here on only used as
    // this atomic.
    Some(unsafe { &*page.cast() })
}

/// Gives one back that nobody else has seen.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library maps no memory")]
fn unmap(page: &'static AtomicU32) {
    let page = ptr::from_ref(page);
    if !ptr::eq(page, &raw const NO_PAGE) {
        // SAFETY: `map` has mapped it, and nobody refers to it any more.
        unsafe { libc::munmap(page.cast_mut().cast(), LENGTH) };
    }
}

/// A value of which each process has its own.
#[derive(Debug)]
pub(crate) struct OfProcess<T: 'static>(OnceLock<Box<Value<T>>>);

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
        let process = id();
        let mut place = &self.0;
        while let Some(value) = place.get() {
            // A later one would be of a child, and this is none of its: its id may be one that was used before.
            if value.process == process && value.of_child.get().is_none() {
                return &value.it;
            }
            place = &value.of_child;
        }
        let new = || Value {
            process,
            it: make(),
            of_child: OnceLock::new(),
        };
        &place.get_or_init(|| Box::new(new())).it
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
        let thread = unsafe { libc::gettid() };
        Some(Self {
            process: id(),
            id: u32::try_from(thread).ok()?,
        })
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) const fn current() -> Option<Self> {
        None
    }

    /// The id; `None` in a child of its process, where the thread has another one.
    pub(crate) fn get(self) -> Option<u32> {
        (self.process == id()).then_some(self.id)
    }
}

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests {
    use super::*;
    use crate::forked::{fork, is_so_in_child};

    /// Whether the child of such a fork knows its own id.
    fn child_knows_itself(fork: impl Fn() -> libc::pid_t) -> bool {
        let parent = id();
        assert_eq!(parent, std::process::id());
        is_so_in_child(fork, || {
            let own = id();
            own != parent && own == std::process::id() && own == id()
        })
    }

    /// As `fork`, while another thread is about to be the first who asks for the id.
    #[test]
    fn child_of_a_fork_waits_for_no_thread_that_is_not_there() {
        let known = Emptied::new();
        let page = known.get(|| {
            let is_mapped = || known.get(map).is_some();
            assert!(is_so_in_child(fork, is_mapped));
            map()
        });
        let page = page.expect("this kernel empties pages");
        assert!(ptr::eq(known.get(|| None).expect("it has one"), page));
    }

    /// Of two who are the first it has the number of one, and so has each of them.
    #[test]
    fn page_of_who_comes_second_is_given_back() {
        let known = Emptied::new();
        let mut first = None;
        let second = known.get(|| {
            first = known.get(map);
            map()
        });
        let (first, second) = (first.expect("a page"), second.expect("the same"));
        assert!(ptr::eq(first, second));
        let none = Emptied::new();
        assert!(none.get(|| None).is_none());
        assert!(none.get(map).is_none());
    }

    #[test]
    fn child_of_a_fork_has_an_id_of_its_own() {
        assert!(child_knows_itself(fork));
    }

    /// As programs do that want no handlers run, see `pthread_atfork`.
    #[test]
    #[expect(unsafe_code, reason = "the standard library has no fork")]
    fn child_of_a_fork_past_the_library_has_an_id_of_its_own() {
        // No memory is shared, and the parent is told of its end.
        let clone = || unsafe {
            // SAFETY: the child goes on with a copy of this stack, as after a fork.
            libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0)
        };
        let fork = || libc::pid_t::try_from(clone()).expect("an id");
        assert!(child_knows_itself(fork));
    }
}
