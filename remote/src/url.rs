//! What is wrong with a URL, in words that have no part of it: a password may be where nobody expects one,
//! as in `etcd://user:password`, where a host is missing.

use std::fmt::{self, Display, Formatter};

/// The URLs of a server.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// How they may begin.
    pub schemes: &'static [&'static str],
    /// Those among them that are for connections with TLS.
    pub tls: &'static [&'static str],
    /// Such a URL, for who has written another one.
    pub example: &'static str,
}

impl Form {
    /// The scheme, and what follows behind `://`.
    ///
    /// # Errors
    ///
    /// That there is no scheme, or that it is none of these.
    pub fn split<'a>(&self, url: &'a str) -> Result<(&'a str, &'a str), String> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| self.wrong("it has no scheme"))?;
        if self.schemes.contains(&scheme) || self.tls.contains(&scheme) {
            return Ok((scheme, rest));
        }
        let legal = List(self.schemes, self.tls);
        Err(self.wrong(format_args!("its scheme is none of {legal}")))
    }

    /// What is wrong, and how it should be.
    pub fn wrong(&self, what: impl Display) -> String {
        format!("{what}; write `{}`", self.example)
    }
}

/// What is wrong where something that a URL needs wasn't built in.
#[must_use]
pub fn needs_feature(what: &str, feature: &str, of: &str) -> String {
    format!("{what} needs the feature `{feature}` of `{of}`; turn it on")
}

/// The same of TLS, which each crate of a server has by a feature. Who names the server by `lockutils-any` has no other
/// one in the list of dependencies.
#[must_use]
pub fn needs_tls(what: &str, of: &str) -> String {
    let of = format!("{of}` or, where that is used, of `lockutils-any");
    needs_feature(what, "rustls", &of)
}

struct List(&'static [&'static str], &'static [&'static str]);

impl Display for List {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, scheme) in self.0.iter().chain(self.1).enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}`{scheme}`")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, needs_tls};

    #[test]
    fn schemes_are_told_and_what_stands_in_their_place_is_not() {
        let form = Form {
            schemes: &["db", "database"],
            tls: &["dbs"],
            example: "db://host",
        };
        assert_eq!(form.split("db://h/1"), Ok(("db", "h/1")));
        assert_eq!(form.split("dbs://"), Ok(("dbs", "")));
        let error = form.split("secret:x://h").unwrap_err();
        let legal = "its scheme is none of `db`, `database`, `dbs`; write `db://host`";
        assert_eq!(error, legal);
        let error = form.split("secret").unwrap_err();
        assert_eq!(error, "it has no scheme; write `db://host`");
    }

    #[test]
    fn tls_is_a_feature_of_either_crate() {
        assert_eq!(
            needs_tls("its scheme", "lockutils-db"),
            "its scheme needs the feature `rustls` of `lockutils-db` or, where that is used, of `lockutils-any`; \
             turn it on"
        );
    }
}
