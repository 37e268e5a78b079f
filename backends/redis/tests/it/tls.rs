//! TLS, with certificates that `openssl` makes.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use lockutils_redis::Redis as Store;
use lockutils_remote::{Fault, Session as _, Store as _};
use lockutils_servers::Redis;
use redis::{Client, TlsCertificates};

use crate::setting::{claim, granted, member, open, open_as, run};

fn openssl(directory: &Path, arguments: &str) -> bool {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(directory);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// An authority, and what it says that one is localhost.
fn certify(directory: &Path) -> bool {
    fs::write(directory.join("san"), "subjectAltName=DNS:localhost\n").unwrap();
    let authority =
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=authority";
    let one = "req -newkey rsa:2048 -nodes -keyout one.key -out one.csr -subj /CN=one";
    let sign =
        "x509 -req -in one.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -out one.pem";
    [authority, one, sign]
        .iter()
        .all(|arguments| openssl(directory, arguments))
}

#[test]
fn servers_are_known_by_their_certificates() {
    if !Redis::available() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    if !certify(directory.path()) {
        eprintln!("skipped: openssl is not installed");
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("one.pem"), file("one.key"));
    let port = port.to_string();
    let mut arguments = vec!["--tls-port", &port, "--tls-auth-clients", "no"];
    arguments.extend(["--tls-cert-file", &certificate, "--tls-key-file", &key]);
    let ca = file("ca.pem");
    arguments.extend(["--tls-ca-cert-file", &ca]);
    let server = Redis::with(&arguments);
    let url = format!("rediss://localhost:{port}");
    run(async {
        let trusted = TlsCertificates {
            client_tls: None,
            root_cert: Some(fs::read(&ca).unwrap()),
        };
        let client = Client::build_with_tls(&*url, trusted).unwrap();
        let store = Store::from_client(&client);
        assert_eq!(store.name(), url);
        let session = store.open(&member().into()).await.unwrap();
        granted(&session, &claim("k")).await;
        // The same server.
        let plain = open(&server.url()).await;
        assert!(!plain.release(&claim("k")).await.unwrap());

        let error = open_as(&url, member()).await.err();
        let Some(Fault::Refused(cause)) = error else {
            panic!("{error:?}");
        };
        assert!(cause.to_string().contains("certificate"), "{cause}");
    });
}
