//! Which server a URL names.

use crate::store::Any;
use lockutils::engine::Refusal;
use lockutils_remote::url::Form;
#[cfg(not(all(feature = "postgres", feature = "etcd", feature = "redis")))]
use lockutils_remote::url::needs_feature;
use lockutils_remote::{FakeStore, FromUrl};

const FORM: Form = Form {
    schemes: &[
        "postgres",
        "postgresql",
        "etcd",
        "http",
        "redis",
        "valkey",
        "redis+unix",
        "valkey+unix",
        "memory",
    ],
    tls: &["etcds", "https", "rediss", "valkeys"],
    example: "postgres://user:password@host/database",
};

/// The server, where the feature is on.
macro_rules! server {
    ($feature:literal, $server:expr) => {{
        #[cfg(feature = $feature)]
        let server = $server;
        #[cfg(not(feature = $feature))]
        let server = Err(Refusal::invalid_url(needs_feature(
            "its scheme",
            $feature,
            "lockutils-any",
        )));
        server
    }};
}

impl FromUrl for Any {
    fn from_url(url: &str) -> Result<Self, Refusal> {
        let (scheme, _) = FORM.split(url).map_err(Refusal::invalid_url)?;
        match scheme {
            "memory" => FakeStore::from_url(url).map(Self::Memory),
            "postgres" | "postgresql" => server!(
                "postgres",
                lockutils_postgres::Postgres::from_url(url).map(Self::Postgres)
            ),
            "etcd" | "etcds" | "http" | "https" => {
                server!("etcd", lockutils_etcd::Etcd::from_url(url).map(Self::Etcd))
            }
            // There are no others left.
            _ => server!(
                "redis",
                lockutils_redis::Redis::from_url(url).map(Self::Redis)
            ),
        }
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
            ("mysql://u:hunter2@host/db", "none of"),
            ("u:hunter2://host", "none of"),
            ("memory://", "name"),
        ] {
            let text = AnyLocks::new(url).unwrap_err().to_string();
            assert!(text.contains(part), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{url}: {text}");
            let legal = ["`postgres`", "`etcd`", "`redis`", "`memory`"];
            assert!(
                part != "none of" || legal.iter().all(|one| text.contains(one)),
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
