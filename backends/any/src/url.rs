//! Which server a URL names.

use crate::store::Any;
use lockutils::engine::Refusal;
use lockutils_remote::{FakeStore, FromUrl};

const LEGAL: &str = "write one that begins with `postgres://`, `etcd://`, `etcds://`, `redis://`, \
                     `rediss://` or `memory://`";

/// The server, where the feature is on.
macro_rules! server {
    ($feature:literal, $server:expr) => {{
        #[cfg(feature = $feature)]
        let server = $server;
        #[cfg(not(feature = $feature))]
        let server = Err(Refusal::invalid_url(concat!(
            "its scheme needs the feature `",
            $feature,
            "` of `lockutils-any`; turn it on"
        )));
        server
    }};
}

impl FromUrl for Any {
    fn from_url(url: &str) -> Result<Self, Refusal> {
        let Some((scheme, _)) = url.split_once("://") else {
            return Err(Refusal::invalid_url(format!("it has no scheme; {LEGAL}")));
        };
        match scheme {
            "memory" => FakeStore::from_url(url).map(Self::Memory),
            "postgres" | "postgresql" => server!(
                "postgres",
                lockutils_postgres::Postgres::from_url(url).map(Self::Postgres)
            ),
            "etcd" | "etcds" | "http" | "https" => {
                server!("etcd", lockutils_etcd::Etcd::from_url(url).map(Self::Etcd))
            }
            "redis" | "rediss" | "valkey" | "valkeys" | "redis+unix" | "valkey+unix" => server!(
                "redis",
                lockutils_redis::Redis::from_url(url).map(Self::Redis)
            ),
            _ => Err(Refusal::invalid_url(format!(
                "{}; {LEGAL}",
                unknown(scheme)
            ))),
        }
    }
}

/// What stands there could be a password.
fn unknown(scheme: &str) -> String {
    let is_scheme = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
    if scheme.chars().all(is_scheme) {
        format!("its scheme `{scheme}` is not known")
    } else {
        "its scheme is none".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::AnyLocks;
    use lockutils::ErrorKind;
    use std::time::Duration;

    #[test]
    fn wrong_part_is_named_without_the_password() {
        for (url, part) in [
            ("", "scheme"),
            ("nonsense", "scheme"),
            ("mysql://u:hunter2@host/db", "`mysql`"),
            ("u:hunter2://host", "scheme"),
            ("memory://", "name"),
        ] {
            let text = AnyLocks::new(url).unwrap_err().to_string();
            assert!(text.contains(part), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{url}: {text}");
            let legal = ["postgres://", "etcd://", "redis://", "memory://"];
            assert!(
                part == "name" || legal.iter().all(|one| text.contains(one)),
                "{text}"
            );
        }
    }

    #[test]
    fn feature_that_is_off_is_named() {
        for (url, feature, is_on) in [
            (
                "postgres://u:hunter2@host/db",
                "`postgres`",
                cfg!(feature = "postgres"),
            ),
            ("etcd://host", "`etcd`", cfg!(feature = "etcd")),
            ("redis://u:hunter2@host", "`redis`", cfg!(feature = "redis")),
        ] {
            match AnyLocks::new(url).map_err(|error| error.to_string()) {
                Ok(_) => assert!(is_on, "{url}"),
                Err(text) => {
                    assert!(!is_on && text.contains(feature), "{url}: {text}");
                    assert!(!text.contains("hunter2"), "{text}");
                }
            }
        }
    }

    #[test]
    fn name_in_memory_is_one_server() -> Result<(), lockutils::Error> {
        let locks = AnyLocks::new("memory://one")?
            .prefix("x")
            .ttl(Duration::from_secs(3));
        let lease = locks.key("key").lock()?;
        let other = AnyLocks::new("memory://one")?.prefix("x");
        let busy = other.key("key").try_lock().unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::Busy);
        drop(
            AnyLocks::new("memory://two")?
                .prefix("x")
                .key("key")
                .try_lock()?,
        );
        drop(AnyLocks::new("memory://one")?.key("key").try_lock()?);
        assert_eq!(other.states()?.len(), 1);
        let fence = lease.fence();
        lease.release()?;
        assert!(other.key("key").lock()?.fence() > fence);
        locks.close(Duration::from_secs(60))
    }
}
