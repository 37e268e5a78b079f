//! What a holder writes into its lock file: who it is.
//!
//! One line of [`LENGTH`] bytes at the beginning of the file, for people as well:
//!
//! ```text
//! lockutils 1 5b0e6a2f pid=4711 start=88123 host=node-1 since=1764086400.123456 command=nova-compute site=connect (src/cells.rs:41)
//! ```
//!
//! filled up with spaces. It is written over, in one call, and taken away only by a holder that
//! can't write its own: what it says holds only while the file is locked, and until the holder
//! has written. The third
//! word is a checksum of the rest, so a line of which a reader sees two halves, or that
//! somebody else has written, says nothing. A process is its id and when it started, in
//! the kernel's clock ticks, since ids are used again.

use crate::site::Site;
use std::fmt::{self, Write as _};
use std::fs;
use std::process;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a record is, in bytes. What doesn't fit is cut off.
pub(super) const LENGTH: usize = 256;

const MAGIC: &str = "lockutils 1 ";

/// Who holds a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileRecord {
    pub(crate) pid: u32,
    /// When the process started, in ticks; zero if that is unknown.
    start: u64,
    host: String,
    /// Since the epoch.
    since: Duration,
    pub(crate) command: String,
    pub(crate) site: String,
}

/// What stays the same for as long as the process runs.
struct Oneself {
    pid: u32,
    start: u64,
    command: String,
}

static HOST: LazyLock<String> = LazyLock::new(|| {
    let name = fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "-".to_owned(), |name| word(name.trim()))
});

static ONESELF: LazyLock<Oneself> = LazyLock::new(|| Oneself::read(process::id()));

impl Oneself {
    fn read(pid: u32) -> Self {
        Self {
            pid,
            start: started(pid).unwrap_or(0),
            command: command(pid).unwrap_or_else(|| "-".to_owned()),
        }
    }
}

impl FileRecord {
    /// The calling process, which has just taken a lock.
    pub(super) fn of_this_process(site: Site) -> Self {
        let (pid, forked);
        let oneself = if ONESELF.pid == process::id() {
            &*ONESELF
        } else {
            // The child of a fork.
            forked = Oneself::read(process::id());
            &forked
        };
        pid = oneself.pid;
        Self {
            pid,
            start: oneself.start,
            host: HOST.clone(),
            since: now(),
            command: oneself.command.clone(),
            site: site.to_string(),
        }
    }

    pub(super) fn to_bytes(&self) -> [u8; LENGTH] {
        let Self {
            pid,
            start,
            host,
            since,
            command,
            site,
        } = self;
        let mut text = format!("pid={pid} start={start} host={host} since=");
        let (seconds, micros) = (since.as_secs(), since.subsec_micros());
        let _ = write!(text, "{seconds}.{micros:06} command={command} site=");
        text.extend(site.chars().filter(|char| !char.is_control()));
        let room = LENGTH - MAGIC.len() - "00000000 ".len() - "\n".len();
        let end = (0..=room.min(text.len())).rfind(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.truncate(text.trim_end().len());
        let line = format!("{MAGIC}{:08x} {text}", checksum(text.as_bytes()));
        let mut bytes = [b' '; LENGTH];
        bytes[..line.len()].copy_from_slice(line.as_bytes());
        bytes[LENGTH - 1] = b'\n';
        bytes
    }

    /// Reads what [`FileRecord::to_bytes`] has written; `None` if it is something else.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(bytes.get(..LENGTH)?).ok()?;
        let (sum, text) = line.strip_prefix(MAGIC)?.split_at_checked(8)?;
        let text = text.strip_prefix(' ')?.trim_end();
        if u32::from_str_radix(sum, 16).ok()? != checksum(text.as_bytes()) {
            return None;
        }
        let (before, site) = text.split_once(" site=")?;
        let (before, command) = before.split_once(" command=")?;
        let field = |name: &str| {
            let mut words = before.split(' ');
            words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let (seconds, micros) = field("since")?.split_once('.')?;
        let micros: u32 = micros.parse().ok().filter(|micros| *micros < 1_000_000)?;
        let since = Duration::new(seconds.parse().ok()?, 1000 * micros);
        // Anybody can write here, also a time that no clock has.
        UNIX_EPOCH.checked_add(since)?;
        Some(Self {
            pid: field("pid")?.parse().ok()?,
            start: field("start")?.parse().ok()?,
            host: field("host")?.to_owned(),
            since,
            command: command.to_owned(),
            site: site.to_owned(),
        })
    }

    /// Whether the process may still be the one that wrote the record. Of another host,
    /// nobody can tell.
    pub(super) fn may_be_alive(&self) -> bool {
        self.host != *HOST || self.start == 0 || started(self.pid) == Some(self.start)
    }

    /// The host, if it is another one.
    pub(crate) fn other_host(&self) -> Option<&str> {
        (self.host != *HOST).then_some(&self.host)
    }

    /// When the lock was taken.
    pub(crate) fn since(&self) -> SystemTime {
        UNIX_EPOCH + self.since
    }
}

impl fmt::Display for FileRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (site, pid, command) = (&self.site, self.pid, &self.command);
        // Others can write here as well.
        let (site, command) = (site.escape_debug(), command.escape_debug());
        write!(f, "{site} in process {pid} ({command})")?;
        if let Some(host) = self.other_host() {
            write!(f, " on {}", host.escape_debug())?;
        }
        match now().checked_sub(self.since) {
            Some(held) => write!(f, ", for {held:.1?}"),
            None => Ok(()), // The clock was set back.
        }
    }
}

/// The name of a running process.
pub(super) fn command(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(word(name.trim_end()))
}

/// When a running process started, in ticks since the machine did.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may have anything in it. What follows begins with the third
    // field; the start is the 22nd.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(19)?.parse().ok()
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

/// FNV-1a: for halves of lines, not against forgers, who can write whole ones.
fn checksum(text: &[u8]) -> u32 {
    text.iter().fold(0x811C_9DC5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
