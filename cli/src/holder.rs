//! The holder of a lock as `ps` would show it: its process's id, and the command that was typed.

use crate::time::{rounded, typed};
use lockutils::{Error, Holder};
use rustix::system::uname;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What `escape_debug` escapes though it can be shown.
const QUOTES: [char; 3] = ['\'', '"', '\\'];

/// How much of a command a sentence has, in characters.
const LONGEST: usize = 60;

/// A process, with how long it has had the lock.
pub(crate) fn text(holder: &Holder) -> String {
    let Some(process) = process(holder) else {
        return holder.to_string();
    };
    let mut text = format!("process {process}");
    if let Some(command) = command(holder) {
        let _ = write!(text, " ({})", cut(command));
    }
    if let Some(held) = held(holder) {
        let _ = write!(text, " for {held}");
    }
    text
}

/// The text of a lock that was not taken since it is held, within the time that there was, if it was waited for. The
/// error's own names the place in the code, which is for programmers.
pub(crate) fn conflict(error: &Error, timeout: Option<Duration>, seen: Option<&Holder>) -> String {
    let lock = error.path().or(error.key().map(Path::new));
    let lock = lock.unwrap_or(Path::new("?"));
    let mut message = match timeout {
        Some(timeout) => format!(
            "timed out after {} waiting for lock {lock:?}",
            typed(timeout)
        ),
        None => format!("lock {lock:?} is busy"),
    };
    if let Some(holder) = error.holder().or(seen) {
        let _ = write!(message, ": held by {}", text(holder));
    }
    message
}

/// Whether it is a process of this host, with an id that means something here.
pub(crate) fn is_here(holder: &Holder) -> bool {
    let is_this = |host: &str| host == host_name();
    holder.host().is_none_or(is_this) && holder.pid_namespace().is_none()
}

/// What this host calls itself.
pub(crate) fn host_name() -> String {
    uname().nodename().to_string_lossy().into_owned()
}

/// The id of a process, and whose it is if it means nothing here.
pub(crate) fn process(holder: &Holder) -> Option<String> {
    let pid = holder.pid()?;
    Some(match (holder.host(), holder.pid_namespace()) {
        (Some(host), _) => format!("{pid} on {}", host.escape_debug()),
        (None, Some(_)) => format!("{pid} of another PID namespace"),
        (None, None) => pid.to_string(),
    })
}

/// What the holder runs: the command that a lock is held for, where that is another one; else the
/// process, with its arguments where it runs here and can be seen, else its name.
pub(crate) fn command(holder: &Holder) -> Option<String> {
    let is_for_another = holder.since().is_some() && holder.place().is_none();
    // That of a server's lock has its host, also if it is this one. What was typed there can have a
    // password, so what the server was told is shown.
    let is_of_file = holder.host().is_none() && holder.pid_namespace().is_none();
    let here = match holder.pid() {
        Some(pid) if is_of_file && !is_for_another => command_of(pid),
        _ => None,
    };
    here.or_else(|| holder.command().map(shown))
}

/// The command, with its arguments, of a process of this host.
pub(crate) fn command_of(pid: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line);
    let words = line.trim_end_matches('\0').replace('\0', " ");
    (!words.is_empty()).then(|| shown(&words))
}

/// A text of others for the terminal: what has no shape of its own is escaped, such as a control character, one that is
/// as wide as none, or one that turns the direction of what follows.
///
/// So nobody can have the terminal do something by a name, or show another one, and columns stay below each other. Quotes
/// stay, since a text is not in some.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(QUOTES) {
        let plain = part.trim_end_matches(QUOTES);
        shown.extend(plain.escape_debug());
        shown.push_str(&part[plain.len()..]);
    }
    shown
}

/// No more of a command than belongs into a sentence.
pub(crate) fn cut(mut command: String) -> String {
    if let Some((end, _)) = command.char_indices().nth(LONGEST) {
        command.truncate(end);
        command.push('…');
    }
    command
}

/// For how long it has had the lock, by its clock.
pub(crate) fn held(holder: &Holder) -> Option<String> {
    let held = SystemTime::now().duration_since(holder.since()?).ok()?;
    Some(rounded(held))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_is_only_text() {
        let same = [
            "sh -c 'echo \"a\\b\"'",
            "''",
            "",
            "漢字 🔒 é e\u{301}",
            "├─ x",
        ];
        for text in same {
            assert_eq!(shown(text), text);
        }
        for (text, escaped) in [
            ("a\u{1b}[2Jb\n", "a\\u{1b}[2Jb\\n"),
            ("vm-\u{202e}7", "vm-\\u{202e}7"),
            ("'\u{200b}'", "'\\u{200b}'"),
            ("a\u{2028}b", "a\\u{2028}b"),
        ] {
            assert_eq!(shown(text), escaped);
        }
    }
}
