//! A lock engine of one's own: a lock is a directory, which only one can make at a time.
//!
//! That excludes all processes that have the parent directory. It has a price: a process that is
//! killed leaves its directory, and nobody gets the lock until somebody removes that.
//!
//! ```text
//! cargo run --example mkdir
//! cargo test -p lockutils-examples --test mkdir
//! ```

use lockutils::engine::{Answer, Ask, By, Engine, InUse, Pause, Places, Queued, Refusal};
use lockutils::{Error, Holder, Key, synchronized};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};
use std::{env, fs, io, process};

#[derive(Debug)]
struct Directories {
    parent: PathBuf,
    /// Of each lock that somebody in this process wants or has, where its directory is.
    in_use: Places<PathBuf>,
}

/// A directory that was made; dropping it removes it.
struct Made(PathBuf);

impl Directories {
    fn within(parent: impl Into<PathBuf>) -> Queued<Self> {
        Queued::new(Self {
            parent: parent.into(),
            in_use: Places::new("directories"),
        })
    }
}

impl Engine for Directories {
    type Place = InUse<PathBuf>;
    type Wait = Pause;
    type Hold = Made;
    type Proof = ();

    fn name(&self) -> &'static str {
        "directories"
    }

    fn locate(&self, key: &Key) -> Result<Key, Refusal> {
        let mut name = "lock-".to_owned();
        for byte in key.as_str().bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' => name.push(char::from(byte)),
                // Upper case too, which some file systems don't tell from lower case.
                _ => write!(name, "%{byte:02X}").expect("a string takes all"),
            }
        }
        match name.len() {
            ..=255 => Ok(Key::new(name)),
            _ => Err(Refusal::invalid_key("no directory's name is so long")),
        }
    }

    fn place(&self, name: &Key) -> Result<InUse<PathBuf>, Refusal> {
        Ok(self.in_use.of(name, || self.parent.join(name.as_str())))
    }

    fn poll(
        &self,
        place: &mut InUse<PathBuf>,
        pause: &mut Pause,
        ask: &Ask<'_>,
        by: &By<'_>,
    ) -> Poll<Result<Answer<Made>, Refusal>> {
        loop {
            ready!(pause.poll(by));
            match Made::new(place) {
                Ok(made) => return Poll::Ready(Ok(Answer::Granted(made))),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    let remedy = "see that its parent is there and can be written to";
                    return Poll::Ready(Err(Refusal::failed("make", error, remedy)));
                }
                Err(_) if ask.waits(by) => *pause = Pause::of(Duration::from_millis(5)),
                Err(_) => return Poll::Ready(Ok(Answer::Busy)),
            }
        }
    }

    fn proof(_hold: &Made) {}

    fn wakes_at(&self, pause: &Pause) -> Option<Instant> {
        pause.end()
    }

    fn holder(&self, place: &InUse<PathBuf>) -> Option<Holder> {
        let pid = fs::read_to_string(place.join("pid")).ok()?;
        Some(Holder::of_process(pid.parse().ok()?))
    }

    fn path(&self, name: &Key) -> Option<PathBuf> {
        Some(self.parent.join(name.as_str()))
    }
}

impl Made {
    fn new(directory: &Path) -> io::Result<Self> {
        fs::create_dir(directory)?;
        let made = Self(directory.to_owned());
        fs::write(directory.join("pid"), process::id().to_string())?;
        Ok(made)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0.join("pid"));
        let _ = fs::remove_dir(&self.0);
    }
}

static LOCKS: LazyLock<Queued<Directories>> = LazyLock::new(|| {
    let parent = format!("lockutils-mkdir-{}", process::id());
    Directories::within(env::temp_dir().join(parent))
});

/// One at a time for each schema, in whatever process.
#[synchronized(key = schema, locks = LOCKS)]
fn migrate(schema: &str) -> Result<(), Error> {
    // What another caller is told meanwhile.
    if let Err(busy) = LOCKS.key(schema).try_lock() {
        println!("{busy}");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parent = &LOCKS.engine().parent;
    fs::create_dir(parent)?;
    migrate("users")?;
    fs::remove_dir(parent)?;
    Ok(())
}

#[cfg(test)]
mod conformance {
    use super::{Directories, Path, Queued};
    use lockutils_conformance::{Subject, conformance};

    impl Subject for Directories {
        type Space = Queued<Self>;

        const SHARED: bool = false;
        const LONG_KEYS: bool = false;
        const ACROSS_PROCESSES: bool = true;
        const FREED_BY_DEATH: bool = false;

        fn space(place: &Path) -> Queued<Self> {
            Self::within(place)
        }
    }

    conformance!(Directories);
}
