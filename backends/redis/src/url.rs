//! The server's URL.

use lockutils_remote::url::{Form, needs_tls};
use redis::{Client, ConnectionAddr, ConnectionInfo};
use url::{ParseError, Url};

const FORM: Form = Form {
    schemes: &["redis", "valkey", "redis+unix", "valkey+unix", "unix"],
    tls: &["rediss", "valkeys"],
    example: "redis://user:password@host:port/database",
};

/// The client of a URL, or what is wrong with it.
pub(crate) fn client(text: &str) -> Result<Client, String> {
    let (scheme, _) = FORM.split(text)?;
    if FORM.tls.contains(&scheme) && !cfg!(feature = "rustls") {
        return Err(needs_tls("its scheme", "lockutils-redis"));
    }
    let url = Url::parse(text).map_err(|error| {
        FORM.wrong(match error {
            ParseError::EmptyHost => "it has no host",
            ParseError::InvalidPort => {
                "its port is no number below 65536; in a password write `/` as %2F, `?` as %3F, `#` as %23"
            }
            _ => "its host is none",
        })
    })?;
    if !scheme.ends_with("unix") {
        check(&url).map_err(|what| FORM.wrong(what))?;
    }
    Client::open(text).map_err(|_| FORM.wrong("the client can't read it"))
}

/// Looks at what the client reads in its own way, or not at all.
fn check(url: &Url) -> Result<(), &'static str> {
    match url.host_str() {
        None | Some("") => return Err("it has no host"),
        Some("0.0.0.0" | "[::]") => {
            return Err("its host is where a server listens; name one that can be reached");
        }
        Some(_) => {}
    }
    let database = url.path().trim_matches('/');
    if !database.is_empty() && database.parse::<u32>().is_err() {
        return Err("its path is not the number of a database; in a password write `/` as %2F");
    }
    if url.fragment().is_some() {
        return Err("it has a `#`, which means nothing; in a password write it as %23");
    }
    if url.query_pairs().any(|(name, _)| name != "protocol") {
        return Err("it has parameters that mean nothing; in a password write `?` as %3F");
    }
    Ok(())
}

/// What texts call the server.
pub(crate) fn name(info: &ConnectionInfo) -> String {
    let place = |host: &str, port: &u16| {
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    };
    let server = match info.addr() {
        ConnectionAddr::Tcp(host, port) => format!("redis://{}", place(host, port)),
        ConnectionAddr::TcpTls { host, port, .. } => format!("rediss://{}", place(host, port)),
        ConnectionAddr::Unix(path) => return format!("redis+unix://{}", path.display()),
        other => other.to_string(),
    };
    match info.redis_settings().db() {
        0 => server,
        database => format!("{server}/{database}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrong_part_is_named_and_the_password_is_not() {
        for (url, part) in [
            ("", "no scheme"),
            ("localhost:6379", "no scheme"),
            ("127.0.0.1:6379", "no scheme"),
            ("http://u:secret@h", "scheme is none of"),
            ("postgres://u:secret@h/db", "scheme is none of"),
            ("redis://", "no host"),
            ("redis:///1", "no host"),
            ("redis://u:secret@", "no host"),
            ("redis://u:secret@:6379", "no host"),
            ("redis://u:secret@h:66000", "port"),
            ("redis://u:secret@h:x", "port"),
            ("redis://u:se/cret@h", "port"),
            ("redis://u:12/secret@h", "path"),
            ("redis://u:12#secret@h", "`#`"),
            ("redis://u:12?secret@h", "parameters"),
            ("redis://u:secret@[::1", "host"),
            ("redis://u:secret@0.0.0.0", "can be reached"),
            ("redis://u:secret@h/zero", "path"),
            ("redis://u:secret@h/-1", "path"),
        ] {
            let error = client(url).unwrap_err();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }

    #[cfg(not(feature = "rustls"))]
    #[test]
    fn tls_is_a_feature() {
        assert!(
            client("rediss://h")
                .unwrap_err()
                .contains("feature `rustls`")
        );
    }

    #[test]
    fn names_have_no_password() {
        for (url, called) in [
            ("redis://h", "redis://h:6379"),
            ("valkey://user:secret@h:1/2", "redis://h:1/2"),
            ("redis://:p%2Fw@[::1]/", "redis://[::1]:6379"),
            (
                "redis+unix:///run/redis.sock?pass=secret",
                "redis+unix:///run/redis.sock",
            ),
        ] {
            assert_eq!(name(client(url).unwrap().get_connection_info()), called);
        }
    }
}
