//! TLS, with certificates that `openssl` makes.

use lockutils_etcd::Etcd;
use lockutils_remote::{FromUrl, Session, Store};
use lockutils_servers::Etcd as Server;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::session::{member, run};

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn openssl(directory: &Path, arguments: &str) -> bool {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(directory);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// An authority, and what it says that one is 127.0.0.1 and somebody.
fn certify(directory: &Path) -> bool {
    fs::write(directory.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let sign =
        "x509 -req -in one.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -out one.pem";
    let made = "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=authority";
    let asked = "req -newkey rsa:2048 -nodes -keyout one.key -out one.csr -subj /CN=one";
    [made, asked, sign]
        .iter()
        .all(|arguments| openssl(directory, arguments))
}

/// A server that demands certificates.
fn serve(directory: &Path, url: &str) -> Killed {
    let program = std::env::var_os("LOCKUTILS_ETCD").unwrap_or_else(|| "etcd".into());
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.args([
        "--data-dir",
        "data",
        "--listen-peer-urls",
        "http://127.0.0.1:0",
    ]);
    command.args(["--listen-client-urls", url, "--advertise-client-urls", url]);
    command.args(["--cert-file", "one.pem", "--key-file", "one.key"]);
    command.args(["--client-cert-auth", "--trusted-ca-file", "ca.pem"]);
    Killed(command.spawn().unwrap())
}

#[test]
fn certificates_are_demanded_and_shown() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    if !Server::available() {
        return;
    }
    if !certify(directory) {
        eprintln!("skipped: openssl is not installed");
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("https://127.0.0.1:{port}");
    let _server = serve(directory, &url);

    let read = |name: &str| fs::read(directory.join(name)).unwrap();
    let trusting = || Etcd::from_url(&url).unwrap().ca_certificate(read("ca.pem"));
    run(async {
        let begun = Instant::now();
        let session = loop {
            let store = trusting().identity(read("one.pem"), read("one.key"));
            assert!(!format!("{store:?}").contains("PRIVATE"), "{store:?}");
            match store.open(&member(Duration::from_secs(60))).await {
                Ok(session) => break session,
                Err(fault) if begun.elapsed() > Duration::from_secs(30) => panic!("{fault:?}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        session.renew(&[]).await.unwrap();
        let refused = async |store: Etcd| {
            let member = member(Duration::from_secs(60));
            store
                .open(&member)
                .await
                .err()
                .expect("refused")
                .to_string()
        };
        refused(trusting()).await;
        let text = refused(Etcd::from_url(&url).unwrap()).await;
        assert!(text.contains("is it signed by an authority"), "{text}");
    });
}
