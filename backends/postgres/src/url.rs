//! What a URL says.

use std::borrow::Cow;
use std::error::Error;

use lockutils_remote::url::Form;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host};

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
    let mut config = config.map_err(|error| match error.source() {
        Some(part) => FORM.wrong(with_remedy(&part.to_string())),
        None => error.to_string(),
    })?;
    if config.get_channel_binding() == ChannelBinding::Require {
        return Err("`channel_binding` can't be had by a URL; leave it out".into());
    }
    let hosts = config.get_hosts();
    let empty = |host: &Host| matches!(host, Host::Tcp(name) if name.is_empty());
    if hosts.is_empty() && config.get_hostaddrs().is_empty() || hosts.iter().any(empty) {
        return Err(FORM.wrong("it has no host"));
    }
    if hosts.is_empty() {
        // By these the certificates are checked then.
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
    Ok(config)
}

/// What is wrong with an option, and what there is instead.
fn with_remedy(part: &str) -> String {
    let remedy = [
        (
            "`sslmode`",
            "; it is `disable`, `prefer`, `require`, `verify-ca` or `verify-full`",
        ),
        (
            "`target_session_attrs`",
            "; it is `primary` or `read-write`, or leave it out",
        ),
        (
            "`sslrootcert`",
            "; leave it out, and name the authorities' file by the variable SSL_CERT_FILE",
        ),
        ("`sslcert`", CLIENT_CERTIFICATE),
        ("`sslkey`", CLIENT_CERTIFICATE),
    ];
    let remedy = remedy.iter().find(|(option, _)| part.contains(option));
    format!("{part}{}", remedy.map_or("", |(_, remedy)| remedy))
}

const CLIENT_CERTIFICATE: &str =
    "; a client's certificate is given by `PostgresLocks::from_config`";

/// The client knows no `sslmode` that checks certificates, since TLS isn't its own business. Ours checks them
/// whatever the mode is, and the name of the host with them. Nor does it know newer words for the server to look for.
fn as_the_client_reads_it(url: &str) -> Cow<'_, str> {
    let Some((server, parameters)) = url.rsplit_once('?') else {
        return url.into();
    };
    let read = |parameter| match parameter {
        "sslmode=verify-ca" | "sslmode=verify-full" => "sslmode=require",
        "target_session_attrs=primary" => "target_session_attrs=read-write",
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
            (
                "postgres://u:hunter2@host/db?sslrootcert=a",
                "SSL_CERT_FILE",
            ),
            (
                "postgres://u:hunter2@host/db?sslkey=a",
                "`PostgresLocks::from_config`",
            ),
            (
                "postgres://u:hunter2@host/db?channel_binding=require",
                "leave it out",
            ),
            (
                "postgres://u:hunter2@a,b/db?target_session_attrs=standby",
                "`primary`",
            ),
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
    fn host_may_be_an_address_alone() {
        let config = parse("postgres:///db?hostaddr=::1&user=u&port=7").unwrap();
        assert_eq!(crate::hosts::name(&config), "[::1]:7");
        assert_eq!(config.get_hosts(), [Host::Tcp("::1".into())]);
    }

    #[test]
    fn urls_of_the_client_are_read() {
        for url in [
            "postgres://host",
            "postgresql://u:p%40ss@host:5433/db?connect_timeout=3",
            "postgres://u@one,two:5433/db?target_session_attrs=read-write",
            "postgres://u@one,two:5433/db?target_session_attrs=primary",
            "postgres://u@[::1]:5432/db",
            "postgres:///db?host=/var/run/postgresql&user=u",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
    }
}
