//! Where a cluster is, and who asks there, as its URL says.

use lockutils_remote::percent::decode;
use lockutils_remote::url::{Form, needs_tls};
use std::fmt;
use std::net::Ipv6Addr;

const PORT: u16 = 2379;

const FORM: Form = Form {
    schemes: &["etcd", "http"],
    tls: &["etcds", "https"],
    example: "etcd://user:password@host:port",
};

/// What a URL says.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// Whether by TLS.
    pub(crate) tls: bool,
    /// Each with its port, IPv6 in brackets.
    pub(crate) nodes: Vec<String>,
    pub(crate) login: Option<Login>,
}

/// A user's name and password.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Address {
    /// Reads a URL. An error says which part is wrong, and has no text of it, since a password may be where
    /// nobody expects one: `etcd://user:password` without a host, for one.
    pub(crate) fn read(url: &str) -> Result<Self, String> {
        let (scheme, rest) = FORM.split(url)?;
        let tls = FORM.tls.contains(&scheme);
        if tls && !cfg!(feature = "rustls") {
            return Err(needs_tls("its scheme", "lockutils-etcd"));
        }
        // A password may have any character in it, so the last `@` ends it.
        let (login, nodes) = match rest.rsplit_once('@') {
            Some((login, nodes)) => (Some(Login::read(login)?), nodes),
            None => (None, rest),
        };
        let nodes = nodes.strip_suffix('/').unwrap_or(nodes);
        let nodes = nodes.split(',').enumerate().map(|(number, node)| {
            // As `ETCDCTL_ENDPOINTS` lists them.
            let prefix = format!("{scheme}://");
            let node = read_node(node.strip_prefix(&prefix).unwrap_or(node));
            node.map_err(|wrong| format!("host {} {wrong}", number + 1))
        });
        Ok(Self {
            tls,
            nodes: nodes.collect::<Result<_, _>>()?,
            login,
        })
    }
}

/// The URL without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "etcds" } else { "etcd" };
        write!(f, "{scheme}://{}", self.nodes.join(","))
    }
}

impl Login {
    fn read(text: &str) -> Result<Self, String> {
        let (user, password) = text
            .split_once(':')
            .ok_or_else(|| FORM.wrong("the user has no password"))?;
        let user = decode(user).ok_or("the user has a `%` without two hexadecimal digits")?;
        if user.is_empty() {
            return Err(FORM.wrong("the user is empty"));
        }
        let password =
            decode(password).ok_or("the password has a `%` without two hexadecimal digits")?;
        Ok(Self { user, password })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A host and its port.
fn read_node(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("is missing; expected `host:port`");
    }
    if text.contains(['/', '?', '#']) {
        return Err(
            "has more than host and port; leave the rest out, and in a password write `@` as %40",
        );
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port = match port.map(str::parse) {
        None => PORT,
        Some(Ok(port)) if port > 0 => port,
        _ => {
            return Err(
                "has no valid port; expected 1 to 65535, and `user:password@` before the host",
            );
        }
    };
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let letter = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let valid = bracketed.map_or_else(
        || !host.is_empty() && host.chars().all(letter),
        |host| host.parse::<Ipv6Addr>().is_ok(),
    );
    if !valid {
        return Err("has no valid name; IPv6 addresses stand in brackets");
    }
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn urls_are_read() {
        for (url, nodes, user) in [
            ("etcd://a", "etcd://a:2379", None),
            ("http://a:1,b:2/", "etcd://a:1,b:2", None),
            ("http://a:1,http://b", "etcd://a:1,b:2379", None),
            (
                "etcd://[::1]:7,10.0.0.1",
                "etcd://[::1]:7,10.0.0.1:2379",
                None,
            ),
            ("etcd://[::1]", "etcd://[::1]:2379", None),
            (
                "etcd://me:p@s/s%2F%41@a",
                "etcd://a:2379",
                Some(("me", "p@s/s/A")),
            ),
        ] {
            let address = Address::read(url).expect(url);
            assert_eq!(address.to_string(), nodes);
            let login = address.login.as_ref();
            assert_eq!(login.map(|l| (l.user.as_str(), l.password.as_str())), user);
            assert!(!format!("{address:?}").contains("p@s"), "{address:?}");
        }
        assert_eq!(Address::read("etcds://a").is_ok(), cfg!(feature = "rustls"));
    }

    #[test]
    fn wrong_parts_of_urls_are_named_without_the_password() {
        for (url, part) in [
            ("", "no scheme"),
            ("localhost:2379", "no scheme"),
            ("redis://me:secret@a", "scheme is none of"),
            ("me:secret://a", "scheme is none of"),
            ("etcd://", "host 1 is missing"),
            ("etcd://a,,b", "host 2 is missing"),
            ("etcd://me:secret@a:port", "host 1 has no valid port"),
            ("etcd://me:secret", "host 1 has no valid port"),
            ("etcd://a,me:secret", "host 2 has no valid port"),
            ("etcd://me:se@cret/secret@b/c", "host 1 has more than"),
            ("etcd://me:x@secret:1@", "host 1 is missing"),
            ("etcd://secret word", "host 1 has no valid name"),
            ("etcd://a:0", "host 1 has no valid port"),
            ("etcd://a:65536", "host 1 has no valid port"),
            ("etcd://a/db", "host 1 has more than"),
            ("etcd://me:secret@a?x=1", "host 1 has more than"),
            ("etcd://::1", "host 1 has no valid name"),
            ("etcd://a b", "host 1 has no valid name"),
            ("etcd://[::g]", "host 1 has no valid name"),
            ("etcd://me@a", "no password"),
            ("etcd://:secret@a", "the user is empty"),
            ("etcd://me:secret%@a", "the password has a `%`"),
        ] {
            let error = Address::read(url).expect_err(url);
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }
}
