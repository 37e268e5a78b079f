//! Who holds a lock or waits for it, as the value of its key: a line each, for `etcdctl get`.

use lockutils_remote::{Claim, Member, Taken};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The most characters of a text that others may have made long.
const MOST: usize = 200;

/// The process alone.
pub(crate) fn member(member: &Member) -> String {
    let Member {
        host, pid, command, ..
    } = member;
    format!(
        "host: {}\npid: {pid}\ncommand: {}\n",
        line(host),
        line(command)
    )
}

/// The process and what it asks for.
pub(crate) fn write(by: &Member, claim: &Claim) -> String {
    let since = claim.since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let site = line(&claim.site);
    format!(
        "{}site: {site}\nsince: {}\n",
        member(by),
        since.as_secs_f64()
    )
}

/// What [`write()`] wrote, as far as it can be read.
pub(crate) fn read(name: String, key: Option<String>, value: &[u8]) -> Taken {
    let text = String::from_utf8_lossy(value);
    let get = |what: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(": "));
        let (_, value) = lines.find(|(name, _)| *name == what)?;
        Some(value.to_owned())
    };
    Taken {
        name,
        key,
        host: get("host"),
        pid: get("pid").and_then(|pid| pid.parse().ok()),
        command: get("command"),
        site: get("site"),
        since: get("since").and_then(|since| time(&since)),
        fence: None,
        waiting: 0,
    }
}

fn time(seconds: &str) -> Option<SystemTime> {
    let seconds = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    UNIX_EPOCH.checked_add(seconds)
}

/// A text in one line.
fn line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MOST).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use lockutils_remote::{Claim, Member};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn what_was_written_is_read() {
        let member = Member {
            prefix: "billing".into(),
            lease: Duration::from_secs(15),
            answer_timeout: Duration::from_secs(5),
            host: "web-1".into(),
            pid: 4711,
            command: format!("run: a\npid: 9 {}", "x".repeat(1000)),
        };
        let since = UNIX_EPOCH + Duration::from_millis(1_700_000_000_125);
        let claim = Claim {
            name: "billing/a".into(),
            key: "a".into(),
            nonce: 1,
            shared: false,
            site: "src/a.rs:1:2".into(),
            since,
        };
        let taken = read("n".into(), None, write(&member, &claim).as_bytes());
        assert_eq!(taken.host.as_deref(), Some("web-1"));
        assert_eq!(taken.pid, Some(4711));
        let command = taken.command.unwrap();
        assert!(command.starts_with("run: a pid: 9 x") && command.len() == 200);
        assert_eq!(taken.site.as_deref(), Some("src/a.rs:1:2"));
        assert_eq!(taken.since, Some(since));
        let nothing = read("n".into(), None, b"\xff: \n");
        assert_eq!(
            (nothing.host, nothing.pid, nothing.since),
            (None, None, None)
        );
    }
}
