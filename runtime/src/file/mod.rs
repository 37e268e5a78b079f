//! Lock files.
//!
//! A lock of a [`FileLocks`] is two: the in-process lock of the file, as
//! [`Locks`](crate::Locks) has it, and then the kernel's on the file. The first gives all
//! callers in this process one queue, with its order, its deadlock detection and its cancel
//! safety, whatever they wait with and whatever name they know the file by; the second
//! excludes other processes, and is dealt with by one caller at a time.
//!
//! From top to bottom: [`FileLocks`] is what users see, with [`inspect`] to look at files and
//! [`remove`] to remove them; the [`engine`] takes and
//! releases one lock, of which a thread's first try is [`at_once`], and [`refresh`] keeps others from removing held files for their age;
//! [`table`] knows the files in use, each by its names, the [`link`]s; [`kernel`] is one of them and
//! its lock, at the [`pace`] that leaves other processes their time, if need be with a thread that
//! waits, a [`sleep`]er, and one to [`tell`] others how many wait; [`descriptor`] is a file that is open,
//! with the holder's [`record`] in it, and the [`count`] of those who wait, and what the process has [`seen`] of it; what holders of other
//! files are [`behind`] is said there too, to be [`follow`]ed [`across`] processes; [`path`] names it in its
//! [`mod@directory`], and [`sys`] asks the operating system.

mod across;
mod at_once;
mod behind;
mod count;
mod descriptor;
mod directory;
mod engine;
mod follow;
mod hashed;
mod inspect;
mod kernel;
mod link;
mod locks;
#[cfg(all(test, not(loom), target_os = "linux"))]
mod model;
mod own;
mod pace;
mod path;
mod record;
mod refresh;
mod remedy;
mod remove;
mod sealed;
mod seen;
mod sleep;
mod step;
mod sys;
mod table;
mod tell;
mod teller;

pub(crate) use directory::Refused;
pub use engine::Files;
pub use inspect::FileStates;
#[cfg(feature = "inspect")]
pub(crate) use inspect::line_at;
pub use locks::{FileHandle, FileKeysHandle, FileLockFuture, FileLocks, ReentrantFileHandle};
pub(crate) use own::use_own_directory;
#[cfg(all(feature = "inspect", unix))]
pub(crate) use own::{check_directory, own_directory};
pub use remove::Swept;
