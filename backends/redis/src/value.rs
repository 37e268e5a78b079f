//! What is kept at a lock's key: who has it.
//!
//! A line with the claim's nonce, which the scripts compare; one with the fencing token, `fence: 42`;
//! and the [record](Claim::record) of the claim. In a queue, the same is behind what it takes to
//! grant the lock: the session, as its channel has it, and the lease.

use lockutils_remote::{Claim, Taken};

/// What the scripts compare: 32 hexadecimal digits.
pub(crate) fn nonce(claim: &Claim) -> [u8; 32] {
    let digit = |at: usize| b"0123456789abcdef"[(claim.nonce >> (124 - 4 * at)) as usize & 15];
    std::array::from_fn(digit)
}

/// What the server is to know of a claim that waits, to grant it the lock.
pub(crate) fn place(claim: &Claim, session: &str, lease: u64, record: &str) -> Vec<u8> {
    let mut place = nonce(claim).to_vec();
    place.extend_from_slice(format!("{session} {lease}\n{record}").as_bytes());
    place
}

/// The claim, the fencing token and the lock's name, of which the server says that they belong together.
pub(crate) fn granted(told: &[u8]) -> Option<(u128, u64, &str)> {
    let told = std::str::from_utf8(told).ok()?;
    let (fence, name) = told.get(32..)?.split_once('\n')?;
    Some((owner(told.as_bytes())?, fence.parse().ok()?, name))
}

/// Whose lock it is, as far as it was written by this crate.
pub(crate) fn owner(value: &[u8]) -> Option<u128> {
    let digits = std::str::from_utf8(value.get(..32)?).ok()?;
    u128::from_str_radix(digits, 16).ok()
}

/// Who has the lock of this name. Of a value that isn't a lock's nothing is known.
pub(crate) fn taken(name: &str, value: &[u8]) -> Taken {
    read(name, value).unwrap_or_else(|| Taken::by_nobody_knows(name))
}

/// Who has the lock of this name, if it is a lock's value.
pub(crate) fn read(name: &str, value: &[u8]) -> Option<Taken> {
    owner(value)?;
    let record = std::str::from_utf8(value).ok()?.get(32..)?;
    let (fence, record) = record.strip_prefix("\nfence: ")?.split_once('\n')?;
    Some(Taken {
        fence: fence.parse().ok(),
        ..Taken::read(name, record)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockutils_remote::Member;
    use std::time::{Duration, SystemTime};

    #[test]
    fn what_a_script_writes_is_read() {
        let claim = Claim {
            name: "p:k".into(),
            key: "a\nfence: 7\n".into(),
            nonce: 7,
            shared: false,
            site: "src/main.rs:1".into(),
            since: SystemTime::now(),
        };
        let member = Member {
            prefix: "p".into(),
            lease: Duration::from_secs(15),
            answer_timeout: Duration::from_secs(5),
            host: "web-1".into(),
            pid: 812,
            command: String::new(),
            is_for_another: false,
        };
        let digits = String::from_utf8(nonce(&claim).to_vec()).unwrap();
        let value = format!("{digits}\nfence: 42\n{}", claim.record(&member));
        assert_eq!(owner(value.as_bytes()), Some(7));
        let taken = taken("p:k", value.as_bytes());
        assert_eq!(taken.key, Some(claim.key));
        assert_eq!((taken.fence, taken.pid), (Some(42), Some(member.pid)));
    }

    #[test]
    fn values_of_others_are_nobody() {
        let digits = "0".repeat(32);
        let half = format!("{digits}\nfence: 1");
        for value in [
            "",
            "1764421212345678",
            "hello",
            "0\n",
            &"é".repeat(40),
            &digits,
            &half,
        ] {
            assert_eq!(read("p:k", value.as_bytes()), None);
        }
    }
}
