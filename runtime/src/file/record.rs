//! What is in a lock file: a record of its holder, and a mark of a process that waits for it.
//!
//! Two lines, for people as well, the first filled up with spaces to [`LENGTH`] bytes:
//!
//! ```text
//! lockutils 1 5b0e6a2f pid=4711 start=88123 ns=4026531836 host=node-1 since=1764086400.123456 command=nova-compute site=connect (src/cells.rs:41)
//! awaited 9c1d3be04f7a6628
//! ```
//!
//! The holder writes the first one, over the one before. It is taken away only by a holder that
//! can't write its own: what it says holds only while the file is locked, and until the holder
//! has written. Its third word is a checksum of the rest, so a line of which a reader sees two
//! halves, or that somebody else has written, says nothing. A process is its id, when it
//! started, in the kernel's clock ticks, since ids are used again, and the namespace in which
//! the id means something: in another one, as containers have, it is a different process, or
//! none.
//!
//! A process that is about to wait in the kernel writes the second one, with a random number. Behind
//! these two there may be lines that say how many wait, see [`count`](super::count), and for what
//! other file the holder does, see [`behind`](super::behind).
//!
//! A process that takes a lock again sees by the [`Content`] whether others have used the file
//! since, or have begun to wait. When it has to be read for that, see [`seen`](super::seen).

use super::sealed::{checksum, field, number, seal_in, unseal};
use crate::holder::Elsewhere;
use crate::key::text::beginning;
use crate::process::OfProcess;
use crate::site::Site;
use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::process;
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a record is, in bytes. What doesn't fit is cut off.
pub(super) const LENGTH: usize = 256;

const MAGIC: &str = "lockutils 1 ";

/// How long the mark is that somebody waits, in bytes.
pub(super) const MARK: usize = "awaited 0123456789abcdef\n".len();

/// What those who lock the file look at, with zeros where it has nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content([u8; LENGTH + MARK]);

impl Content {
    /// Nothing.
    pub(super) const EMPTY: Self = Self([0; LENGTH + MARK]);

    /// Takes what `read` gives, in place of nothing.
    pub(super) fn fill(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        read(&mut self.0).map(drop)
    }

    /// The same with another record.
    pub(super) fn with_record(&self, record: &[u8; LENGTH]) -> Self {
        let mut bytes = self.0;
        bytes[..LENGTH].copy_from_slice(record);
        Self(bytes)
    }

    /// The record; `None` if that is something else.
    pub(super) fn record(&self) -> Option<FileRecord> {
        FileRecord::from_bytes(&self.0[..LENGTH])
    }
}

/// A mark like no other.
pub(super) fn mark() -> [u8; MARK] {
    let chance = RandomState::new().hash_one(process::id());
    let mut bytes = [0; MARK];
    bytes.copy_from_slice(format!("awaited {chance:016x}\n").as_bytes());
    bytes
}

/// The holder of a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileRecord {
    pid: u32,
    /// When the process started, in ticks; zero if that is unknown.
    start: u64,
    /// The number of its PID namespace; zero if that is unknown.
    namespace: u64,
    host: String,
    /// Since the epoch.
    since: Duration,
    command: String,
    /// [`NOWHERE`] if it isn't the process itself that wanted the lock.
    site: String,
}

/// What stays the same for as long as the process runs.
struct Oneself {
    pid: u32,
    start: u64,
    namespace: u64,
    command: String,
}

/// The place of a lock that is held for another command.
const NOWHERE: &str = "-";

/// The longest command in a record, in bytes: it is to leave room for all the rest.
const LONGEST_COMMAND: usize = 120;

/// The command for which this process holds its locks, where that is another one.
static STANDS_FOR: OnceLock<String> = OnceLock::new();

static HOST: LazyLock<String> = LazyLock::new(|| {
    let name = fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "-".to_owned(), |name| word(name.trim()))
});

static ONESELF: OfProcess<Oneself> = OfProcess::new();

impl Oneself {
    fn get() -> &'static Self {
        ONESELF.get_or_init(Self::read)
    }

    fn read() -> Self {
        let pid = process::id();
        Self {
            pid,
            start: started(&pid.to_string()).unwrap_or(0),
            namespace: namespace().unwrap_or(0),
            command: command(pid).unwrap_or_else(|| "-".to_owned()),
        }
    }
}

impl FileRecord {
    /// The calling process, which has just taken a lock.
    pub(super) fn of_this_process(site: Site) -> Self {
        let oneself = Oneself::get();
        let (command, site) = match STANDS_FOR.get() {
            Some(command) => (command.clone(), NOWHERE.to_owned()),
            None => (oneself.command.clone(), site.to_string()),
        };
        Self {
            pid: oneself.pid,
            start: oneself.start,
            namespace: oneself.namespace,
            host: HOST.clone(),
            since: now(),
            command,
            site,
        }
    }

    pub(super) fn to_bytes(&self) -> [u8; LENGTH] {
        let Self {
            pid,
            start,
            namespace,
            host,
            since,
            command,
            site,
        } = self;
        let mut text = format!("pid={pid} start={start} ns={namespace} host={host} since=");
        let (seconds, micros) = (since.as_secs(), since.subsec_micros());
        let _ = write!(text, "{seconds}.{micros:06} command={command} site=");
        text.extend(site.chars().filter(|char| !char.is_control()));
        let room = LENGTH - MAGIC.len() - "00000000 ".len() - "\n".len();
        text.truncate(beginning(&text, room).len());
        text.truncate(text.trim_end().len());
        seal_in(MAGIC, &text).expect("it was cut")
    }

    /// Reads what [`FileRecord::to_bytes`] has written; `None` if it is something else.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = unseal(MAGIC, bytes.get(..LENGTH)?)?;
        // A command may have any words.
        let (before, site) = text.rsplit_once(" site=")?;
        let (before, command) = before.split_once(" command=")?;
        let field = |name: &str| field(before, name);
        let (seconds, micros) = field("since")?.split_once('.')?;
        let micros = number::<u32>(micros).filter(|micros| *micros < 1_000_000)?;
        let since = Duration::new(number(seconds)?, 1000 * micros);
        // Anybody can write here, also a time that no clock has.
        UNIX_EPOCH.checked_add(since)?;
        Some(Self {
            pid: number(field("pid")?)?,
            start: number(field("start")?)?,
            // Older holders don't write it.
            namespace: field("ns").map_or(Some(0), number)?,
            host: field("host")?.to_owned(),
            since,
            command: command.to_owned(),
            site: site.to_owned(),
        })
    }

    /// The id of the process, where it runs.
    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the process may still be the one that wrote the record. Of another host or
    /// namespace, nobody can tell.
    pub(super) fn may_be_alive(&self) -> bool {
        self.host != *HOST
            || self.other_namespace().is_some()
            || self.start == 0
            || started(&self.pid.to_string()) == Some(self.start)
    }

    /// Those to whom the process, which has ended, has left the lock: what it had it for and has run.
    pub(super) fn heirs(self) -> Option<Elsewhere> {
        let is_for_another = self.place().is_none();
        is_for_another.then(|| Elsewhere {
            pid: None,
            ..Elsewhere::from(self)
        })
    }

    /// The place in the code, if the process has taken the lock for itself.
    fn place(&self) -> Option<&str> {
        (self.site != NOWHERE).then_some(&self.site)
    }

    /// The number of the PID namespace, if it is another one.
    fn other_namespace(&self) -> Option<u64> {
        let own = Oneself::get().namespace;
        (self.namespace != 0 && own != 0 && self.namespace != own).then_some(self.namespace)
    }

    /// The host, if it is another one.
    fn other_host(&self) -> Option<&str> {
        (self.host != *HOST).then_some(&self.host)
    }
}

impl From<FileRecord> for Elsewhere {
    fn from(record: FileRecord) -> Self {
        Self {
            pid: Some(record.pid),
            place: record.place().map(str::to_owned),
            host: record.other_host().map(str::to_owned),
            pid_namespace: record.other_namespace(),
            since: Some(UNIX_EPOCH + record.since),
            command: Some(record.command),
        }
    }
}

/// A process that writes nothing down.
pub(super) fn stranger(pid: u32) -> Elsewhere {
    Elsewhere {
        command: command(pid),
        ..Elsewhere::process(Some(pid))
    }
}

/// The name of a running process.
fn command(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(word(name.trim_end()))
}

/// Makes the records of this process name another command, and no place in its own code.
pub(super) fn stand_for(command: &str) {
    let mut text = String::new();
    for word in command.split(|char: char| char.is_whitespace() || char.is_control()) {
        if !word.is_empty() {
            text.extend((!text.is_empty()).then_some(' '));
            text.push_str(word);
        }
    }
    if text.len() > LONGEST_COMMAND {
        text.truncate(beginning(&text, LONGEST_COMMAND).len());
        text.push('…');
    }
    // The first one stays: what was written can't be taken back.
    let _ = STANDS_FOR.set(text);
}

/// The name of this host, in short.
pub(super) fn host() -> u32 {
    checksum(HOST.as_bytes())
}

/// The number of the PID namespace of this process, on Linux.
pub(super) fn namespace() -> Option<u64> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    number(link.to_str()?.strip_prefix("pid:[")?.strip_suffix(']')?)
}

/// When a running process started, or a thread, in ticks since the machine did. It is named by its
/// place in `/proc`.
pub(super) fn started(task: &str) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{task}/stat")).ok()?;
    // The name, in parentheses, may have anything in it. What follows begins with the third
    // field; the start is the 22nd.
    let (_, fields) = stat.rsplit_once(')')?;
    number(fields.split_ascii_whitespace().nth(19)?)
}

fn now() -> Duration {
    // A clock from before 1970 is as good as none.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Text as one word.
fn word(text: &str) -> String {
    let plain = |char: char| {
        if char.is_whitespace() || char.is_control() {
            '_'
        } else {
            char
        }
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sealed::seal;
    use super::*;

    /// What the last release has written, which knows of no namespaces.
    #[test]
    fn record_without_a_namespace_is_read() {
        let text = "pid=1 start=2 host=h since=3.000004 command=a site=b";
        let line = seal(MAGIC, text);
        let mut bytes = [b' '; LENGTH];
        bytes[..line.len()].copy_from_slice(line.as_bytes());
        let record = FileRecord::from_bytes(&bytes).expect("a record");
        assert_eq!((record.pid, record.namespace), (1, 0));
        assert_eq!(record.other_namespace(), None);
    }

    #[test]
    fn process_of_another_namespace_is_said_to_be_so() {
        let mut record = FileRecord::of_this_process(Site::here());
        assert_eq!(record.other_namespace(), None);
        record.namespace += 1;
        // Whatever process has its number here.
        (record.pid, record.start) = (1, 1);
        let record = FileRecord::from_bytes(&record.to_bytes()).expect("a record");
        assert!(record.may_be_alive());
        let number = record.namespace;
        let text = Elsewhere::from(record).to_string();
        let end = format!(" of another PID namespace ({number}), for ");
        assert!(text.contains(&end), "{text}");
    }

    #[test]
    fn command_with_the_words_of_a_record_is_read_as_it_is() {
        let mut record = FileRecord::of_this_process(Site::here());
        record.command = "a site=b command=c".to_owned();
        record.site = NOWHERE.to_owned();
        let record = FileRecord::from_bytes(&record.to_bytes()).expect("a record");
        assert_eq!(record.command, "a site=b command=c");
        assert_eq!(record.place(), None);
        let text = Elsewhere::from(record).to_string();
        assert!(text.starts_with("process "), "{text}");
    }

    #[test]
    fn time_that_no_clock_has_is_no_record() {
        let mut record = FileRecord::of_this_process(Site::here());
        assert!(FileRecord::from_bytes(&record.to_bytes()).is_some());
        for seconds in [1 << 63, u64::MAX] {
            record.since = Duration::from_secs(seconds);
            assert!(FileRecord::from_bytes(&record.to_bytes()).is_none());
        }
    }
}
