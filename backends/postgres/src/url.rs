//! What a URL says.

use std::borrow::Cow;
use std::error::Error;

use lockutils_remote::url::Form;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

const FORM: Form = Form {
    schemes: &["postgres", "postgresql"],
    tls: &[],
    example: "postgres://user:password@host:port/database",
};

/// Reads a URL; else says which part is wrong.
pub(crate) fn parse(url: &str) -> Result<Config, String> {
    let (_, rest) = FORM.split(url)?;
    if rest.matches('@').count() > 1 {
        let text = "there is more than one `@`; write one in the user or the password as `%40`";
        return Err(text.into());
    }
    let config = as_the_client_reads_it(url).parse::<Config>();
    let config = config.map_err(|error| match error.source() {
        Some(part) => FORM.wrong(with_values(&part.to_string())),
        None => error.to_string(),
    })?;
    let hosts = config.get_hosts();
    let empty = |host: &Host| matches!(host, Host::Tcp(name) if name.is_empty());
    if hosts.is_empty() && config.get_hostaddrs().is_empty() || hosts.iter().any(empty) {
        return Err(FORM.wrong("it has no host"));
    }
    Ok(config)
}

/// What is wrong, with the values that the option can have.
fn with_values(part: &str) -> String {
    let is_mode = part.contains("`sslmode`");
    let values = "; it is `disable`, `prefer`, `require`, `verify-ca` or `verify-full`";
    format!("{part}{}", if is_mode { values } else { "" })
}

/// The client knows no `sslmode` that checks certificates, since TLS isn't its own business. Ours checks them
/// whatever the mode is, and the name of the host with them.
fn as_the_client_reads_it(url: &str) -> Cow<'_, str> {
    let Some((server, parameters)) = url.rsplit_once('?') else {
        return url.into();
    };
    let read = |parameter| match parameter {
        "sslmode=verify-ca" | "sslmode=verify-full" => "sslmode=require",
        _ => parameter,
    };
    let parameters: Vec<_> = parameters.split('&').map(read).collect();
    format!("{server}?{}", parameters.join("&")).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_postgres::config::SslMode;

    #[test]
    fn wrong_part_is_named_without_the_password() {
        for (url, part) in [
            ("", "scheme"),
            ("mysql://u:hunter2@host/db", "scheme"),
            ("host=h user=u password=hunter2", "scheme"),
            ("postgres:///db", "host"),
            ("postgres://u:hunter2@", "host"),
            ("postgres://u:hunter2@:5432/db", "host"),
            ("postgres://u:hunter2@host:port/db", "port"),
            ("postgres://u:hunter2@host:99999/db", "port"),
            ("postgres://u:hunter2@[::1/db", "host"),
            (
                "postgres://u:hunter2@host/db?sslmode=hunter2",
                "`verify-full`",
            ),
            ("postgres://u:hunter2@host/db?colour=red", "colour"),
            ("postgres://u:hunt@hunter2@host/db", "`@`"),
            ("postgres://u:hunt@hunter2?hunter2=x@host/db", "`@`"),
        ] {
            let text = parse(url).unwrap_err();
            assert!(text.contains(part), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{url}: {text}");
        }
    }

    #[test]
    fn every_sslmode_with_tls_is_that_which_checks() {
        for (mode, read) in [
            ("disable", SslMode::Disable),
            ("prefer", SslMode::Prefer),
            ("require", SslMode::Require),
            ("verify-ca", SslMode::Require),
            ("verify-full", SslMode::Require),
        ] {
            for parameters in ["sslmode=MODE", "connect_timeout=3&sslmode=MODE&user=u"] {
                let url = format!("postgres://host/db?{}", parameters.replace("MODE", mode));
                assert_eq!(parse(&url).unwrap().get_ssl_mode(), read, "{url}");
            }
        }
        assert!(parse("postgres://host/db?sslmode=verify").is_err());
    }

    #[test]
    fn urls_of_the_client_are_read() {
        for url in [
            "postgres://host",
            "postgresql://u:p%40ss@host:5433/db?connect_timeout=3",
            "postgres://u@one,two:5433/db?target_session_attrs=read-write",
            "postgres://u@[::1]:5432/db",
            "postgres:///db?host=/var/run/postgresql&user=u",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
    }
}
