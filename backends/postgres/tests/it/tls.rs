//! TLS, with certificates of an authority that only one who is told trusts.
//!
//! Whom a process trusts is told to it at its start, so each case is one of its own.

use std::env;
use std::error::Error;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::process::Command;

use lockutils_conformance::Process;
use lockutils_postgres::PostgresLocks;
use lockutils_servers::{Certificates, Postgres};
use tokio_postgres::NoTls;

use crate::session::run;

const MARK: &str = "lockutils-postgres: ";
const URL: &str = "LOCKUTILS_POSTGRES_URL";

/// A process that trusts these alone, with the URL's `sslmode`.
fn trusting(server: &Postgres, authority: &Path, sslmode: &str) -> Process {
    trusting_at(&format!("{}?sslmode={sslmode}", server.url()), authority)
}

/// The same with a URL.
fn trusting_at(url: &str, authority: &Path) -> Process {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["tls::trusts", "--exact", "--nocapture", "--ignored"]);
    command.env(URL, url).env("SSL_CERT_FILE", authority);
    Process::start_marked(&mut command, MARK)
}

/// Such a process: it tries to take locks, of which it is told line by line.
#[test]
#[ignore = "it is the other process of tests"]
fn trusts() {
    let Ok(url) = env::var(URL) else {
        return;
    };
    let locks = PostgresLocks::new(&url).unwrap();
    let mut guards = Vec::new();
    for key in io::stdin().lock().lines() {
        match locks.key(key.unwrap()).try_lock() {
            Ok(guard) => {
                guards.push(guard);
                say("held");
            }
            Err(error) => say(&format!("{:?}: {}", error.kind(), chain(&error))),
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn say(answer: &str) {
    let mut output = io::stdout().lock();
    // The harness may have begun a line.
    writeln!(output, "\n{MARK}{answer}").unwrap();
    output.flush().unwrap();
}

/// How many sessions of locks have TLS, and how many have not.
fn sessions(server: &Postgres) -> (i64, i64) {
    const COUNT: &str = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) \
        FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'lockutils %'";
    run(async {
        let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let row = client.query_one(COUNT, &[]).await.unwrap();
        (row.get(0), row.get(1))
    })
}

#[test]
fn server_is_known_by_its_certificate() {
    if !Postgres::available() {
        return;
    }
    let (Some(own), Some(other)) = (Certificates::make(), Certificates::make()) else {
        return;
    };
    let set = |name: &str, file: &Path| format!("{name}={}", file.display());
    let certificate = set("ssl_cert_file", &own.certificate());
    let key = set("ssl_key_file", &own.key());
    let server = Postgres::with(&["-c", "ssl=on", "-c", &certificate, "-c", &key]);

    let mut trusts = trusting(&server, &own.authority(), "require");
    trusts.ask_for("a", "held");
    assert_eq!(sessions(&server), (1, 0));
    let mut prefers = trusting(&server, &own.authority(), "prefer");
    assert!(prefers.ask("a").starts_with("Busy"));
    assert_eq!(sessions(&server), (2, 0));

    let mut verifying = Vec::new();
    for mode in ["verify-ca", "verify-full"] {
        let mut verifies = trusting(&server, &own.authority(), mode);
        assert!(verifies.ask("a").starts_with("Busy"));
        verifying.push(verifies);
    }
    assert_eq!(sessions(&server), (4, 0));

    // It may be told where the host is, and is another one all the same.
    let elsewhere = server.url().replace("127.0.0.1", "elsewhere.example");
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = format!("{elsewhere}?hostaddr=127.0.0.1&sslmode={mode}");
        for mut doubts in [
            trusting(&server, &other.authority(), mode),
            trusting_at(&url, &own.authority()),
        ] {
            let error = doubts.ask("b");
            assert!(error.starts_with("Unavailable"), "{mode}: {error}");
            for part in ["certificate", "SSL_CERT_FILE"] {
                assert!(error.contains(part), "{mode}: {error}");
            }
        }
    }
    assert_eq!(sessions(&server), (4, 0));
    let mut plain = trusting(&server, &other.authority(), "disable");
    plain.ask_for("b", "held");
    assert_eq!(sessions(&server), (4, 1));
}

#[test]
fn server_without_tls_is_refused_where_it_is_required() {
    if !Postgres::available() {
        return;
    }
    let Some(own) = Certificates::make() else {
        return;
    };
    let server = Postgres::start();
    let mut requires = trusting(&server, &own.authority(), "require");
    let error = requires.ask("a");
    assert!(
        error.starts_with("Unavailable") && error.contains("TLS"),
        "{error}"
    );
    let mut prefers = trusting(&server, &own.authority(), "prefer");
    prefers.ask_for("a", "held");
}
