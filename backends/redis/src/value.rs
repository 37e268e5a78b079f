//! What is kept at a lock's key: who has it.
//!
//! Eight lines of text: the claim's nonce, the fencing token, the key, and the holder's host, process,
//! command, site and time in milliseconds of 1970. The scripts look at the first two only. A line
//! feed in a text is written `\n`, and a backslash `\\`.

use std::time::{Duration, UNIX_EPOCH};

use lockutils_remote::{Claim, Member, Taken};

/// What the scripts compare.
pub(crate) fn nonce(claim: &Claim) -> String {
    format!("{:032x}", claim.nonce)
}

/// The lines behind the fencing token.
pub(crate) fn about(claim: &Claim, member: &Member) -> String {
    let since = claim.since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let lines = [
        &claim.key,
        &member.host,
        &member.pid.to_string(),
        &member.command,
        &claim.site,
        &since.as_millis().to_string(),
    ];
    lines.map(|line| escape(line)).join("\n")
}

/// Whose lock it is, as far as it was written by this crate.
pub(crate) fn owner(value: &[u8]) -> Option<u128> {
    let digits = std::str::from_utf8(value.get(..32)?).ok()?;
    u128::from_str_radix(digits, 16).ok()
}

/// Who has the lock of this name. Of a value that isn't a lock's nothing is known.
pub(crate) fn taken(name: &str, value: &[u8]) -> Taken {
    read(name, value).unwrap_or_else(|| Taken {
        name: name.to_owned(),
        key: None,
        host: None,
        pid: None,
        command: None,
        site: None,
        since: None,
        fence: None,
        waiting: 0,
    })
}

/// Who has the lock of this name, if it is a lock's value.
pub(crate) fn read(name: &str, value: &[u8]) -> Option<Taken> {
    owner(value)?;
    let lines = std::str::from_utf8(value).ok()?.split('\n').skip(1);
    let lines: [&str; 7] = lines.collect::<Vec<_>>().try_into().ok()?;
    let [fence, key, host, pid, command, site, since] = lines;
    Some(Taken {
        name: name.to_owned(),
        key: Some(unescape(key)),
        host: Some(unescape(host)),
        pid: pid.parse().ok(),
        command: Some(unescape(command)),
        site: Some(unescape(site)),
        since: (since.parse().ok())
            .and_then(|since| UNIX_EPOCH.checked_add(Duration::from_millis(since))),
        fence: fence.parse().ok(),
        waiting: 0,
    })
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        plain.push(match char {
            '\\' if rest.next() == Some('n') => '\n',
            char => char,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn any_text_comes_back() {
        let claim = Claim {
            name: "p:k".into(),
            key: "a\nb\\n\\\\c\r\u{0}\"é".into(),
            nonce: 7,
            shared: false,
            site: "src\\main.rs:1".into(),
            since: SystemTime::now(),
        };
        let member = Member {
            prefix: "p".into(),
            lease: Duration::from_secs(15),
            answer_timeout: Duration::from_secs(5),
            host: "\n".into(),
            pid: 812,
            command: String::new(),
        };
        let value = format!("{}\n42\n{}", nonce(&claim), about(&claim, &member));
        let taken = taken("p:k", value.as_bytes());
        assert_eq!(owner(value.as_bytes()), Some(7));
        assert_eq!(taken.key, Some(claim.key));
        assert_eq!(taken.site, Some(claim.site));
        assert_eq!(taken.host, Some(member.host));
        assert_eq!((taken.pid, taken.fence), (Some(812), Some(42)));
        let late = claim.since.duration_since(taken.since.unwrap()).unwrap();
        assert!(late < Duration::from_millis(1));
    }

    #[test]
    fn values_of_others_are_nobody() {
        for value in ["", "1764421212345678", "hello", "0\n", &"é".repeat(40)] {
            assert_eq!(read("p:k", value.as_bytes()), None);
        }
    }
}
