//! What a server is told of who has a lock, for people, in the same words at each: a line for each thing.
//!
//! ```text
//! key: invoice-7
//! host: web-1
//! pid: 4711
//! command: worker
//! site: src/billing.rs:12:1
//! since: 1764421000.250000
//! ```
//!
//! The time is in seconds of 1970. The site of a lock that is held for another command is `-`. In the key, control characters and `%` are written as in URLs; one
//! of more than 64 kB is left out. Anybody can write to a server, so what is read may be anything, and what can't be
//! understood of it is unknown.

use crate::percent;
use crate::store::{Claim, Member, Taken};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most characters of what others may have made long.
const MOST: usize = 200;

/// The place in the code of a lock that is held for another command.
const NOWHERE: &str = "-";

/// The longest key that is written down, in bytes.
const LONGEST_KEY: usize = 64 * 1024;

impl Member {
    /// The process alone.
    #[must_use]
    pub fn record(&self) -> String {
        let (host, command) = (line(&self.host), line(&self.command));
        format!("host: {host}\npid: {}\ncommand: {command}\n", self.pid)
    }
}

impl Claim {
    /// What is asked for, and by which process.
    #[must_use]
    pub fn record(&self, by: &Member) -> String {
        let key = if self.key.len() > LONGEST_KEY {
            String::new()
        } else {
            format!("key: {}\n", percent::encode(&self.key, char::is_control))
        };
        let since = self.since.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (seconds, micros) = (since.as_secs(), since.subsec_micros());
        let site = if by.is_for_another {
            NOWHERE.to_owned()
        } else {
            line(&self.site)
        };
        let by = by.record();
        format!("{key}{by}site: {site}\nsince: {seconds}.{micros:06}\n")
    }
}

impl Taken {
    /// Somebody of whom nothing is known but the name of the lock.
    #[must_use]
    pub fn by_nobody_knows(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            key: None,
            host: None,
            pid: None,
            command: None,
            site: None,
            since: None,
            fence: None,
            waiting: 0,
        }
    }

    /// Who has the lock of this name, as [`Claim::record`] or [`Member::record`] says, as far as it can
    /// be understood.
    #[must_use]
    pub fn read(name: impl Into<String>, record: &str) -> Self {
        let mut taken = Self::by_nobody_knows(name);
        for (what, value) in record.lines().filter_map(|line| line.split_once(": ")) {
            match what {
                "key" => taken.key = percent::decode(value),
                "host" => taken.host = Some(line(value)),
                "pid" => taken.pid = value.parse().ok(),
                "command" => taken.command = Some(line(value)),
                "site" => taken.site = (value != NOWHERE).then(|| line(value)),
                "since" => taken.since = time(value),
                _ => {}
            }
        }
        taken
    }
}

fn time(text: &str) -> Option<SystemTime> {
    let (seconds, micros) = text.split_once('.')?;
    let since = Duration::from_secs(seconds.parse().ok()?);
    let micros = Duration::from_micros(micros.parse::<u32>().ok()?.into());
    UNIX_EPOCH.checked_add(since.checked_add(micros)?)
}

/// A text in one line.
fn line(text: &str) -> String {
    let plain = |char: char| if char.is_control() { ' ' } else { char };
    text.chars().take(MOST).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::{Claim, LONGEST_KEY, Member, Taken};
    use std::time::{Duration, UNIX_EPOCH};

    fn member() -> Member {
        Member {
            prefix: "billing".into(),
            lease: Duration::from_secs(15),
            answer_timeout: Duration::from_secs(5),
            host: "web-1".into(),
            pid: 4711,
            command: format!("run: a\npid: 9 {}", "x".repeat(1000)),
            is_for_another: false,
        }
    }

    fn claim(key: &str) -> Claim {
        Claim {
            name: "billing/a".into(),
            key: key.into(),
            nonce: 1,
            shared: false,
            site: "src/a.rs:1:2".into(),
            since: UNIX_EPOCH + Duration::from_millis(1_700_000_000_125),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        for key in ["a", "a\nb\\n%0A\r\u{0}\u{85}\"é: ", "", "\u{2028}"] {
            let claim = claim(key);
            let record = claim.record(&member());
            assert!(!record.contains(['\0', '\r']));
            let taken = Taken::read("n", &record);
            assert_eq!(taken.name, "n");
            assert_eq!(taken.key.as_deref(), Some(key));
            assert_eq!(taken.host.as_deref(), Some("web-1"));
            assert_eq!(taken.pid, Some(4711));
            let command = taken.command.unwrap();
            assert!(command.starts_with("run: a pid: 9 x") && command.len() == 200);
            assert_eq!(taken.site.as_deref(), Some("src/a.rs:1:2"));
            assert_eq!(taken.since, Some(claim.since));
        }
        let run = Member {
            is_for_another: true,
            ..member()
        };
        assert_eq!(Taken::read("n", &claim("a").record(&run)).site, None);
        let long = "x".repeat(LONGEST_KEY + 1);
        let taken = Taken::read("n", &claim(&long).record(&member()));
        assert_eq!((taken.key, taken.pid), (None, Some(4711)));
    }

    #[test]
    fn what_others_have_written_is_nobody() {
        let nobody = Taken::by_nobody_knows("n");
        for text in [
            "",
            "\u{fffd}: \n",
            "pid: -1\nsince: NaN\nkey: %F",
            "since: 18446744073709551615.4294967295\npid: 4294967296",
            "since: -1.0",
            ": : :\n\n: ",
        ] {
            assert_eq!(Taken::read("n", text), nobody, "{text}");
        }
    }

    /// Else it could move the cursor of the terminal that it is shown in.
    #[test]
    fn what_others_have_written_is_plain_and_short() {
        let text = format!("\u{1b}[2J\t\u{7f}{}", "x".repeat(1000));
        let record = format!("host: {text}\ncommand: {text}\nsite: {text}\n");
        let taken = Taken::read("n", &record);
        for shown in [taken.host, taken.command, taken.site] {
            let shown = shown.unwrap();
            assert!(shown.starts_with(" [2J  xxx") && shown.len() == 200);
        }
    }
}
