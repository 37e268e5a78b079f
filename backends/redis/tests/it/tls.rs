//! TLS, with certificates that `openssl` makes.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use lockutils_redis::Redis as Store;
use lockutils_remote::{Fault, Session as _, Store as _};
use lockutils_servers::{Certificates, Redis, free_port};
use redis::{Client, ClientTlsConfig, TlsCertificates};

use crate::setting::{claim, granted, member, open, open_as, run};

/// A server with TLS, which demands the certificates of its clients or doesn't, and the URL for that.
fn serve(certificates: &Certificates, of_clients: &str) -> (Redis, String) {
    let port = free_port();
    let text = |file: PathBuf| file.to_str().unwrap().to_owned();
    let certificate = text(certificates.certificate());
    let key = text(certificates.key());
    let port = port.to_string();
    let mut arguments = vec!["--tls-port", &port, "--tls-auth-clients", of_clients];
    arguments.extend(["--tls-cert-file", &certificate, "--tls-key-file", &key]);
    let ca = text(certificates.authority());
    arguments.extend(["--tls-ca-cert-file", &ca]);
    (
        Redis::with(&arguments),
        format!("rediss://localhost:{port}"),
    )
}

/// Who trusts the authority, and shows the server a certificate or none.
fn client(certificates: &Certificates, url: &str, is_shown: bool) -> Client {
    let read = |file: PathBuf| fs::read(file).unwrap();
    let shown = || ClientTlsConfig {
        client_cert: read(certificates.certificate()),
        client_key: read(certificates.key()),
    };
    let trusted = TlsCertificates {
        client_tls: is_shown.then(shown),
        root_cert: Some(read(certificates.authority())),
    };
    Client::build_with_tls(url, trusted).unwrap()
}

#[test]
fn certificates_are_demanded_and_shown() {
    if !Redis::available() {
        return;
    }
    let Some(certificates) = Certificates::make() else {
        return;
    };
    let (_server, url) = serve(&certificates, "yes");
    run(async {
        let member = Arc::new(member());
        let store = Store::from_client(&client(&certificates, &url, true));
        let session = store.open(&member).await.unwrap();
        granted(&session, &claim("k")).await;
        let store = Store::from_client(&client(&certificates, &url, false));
        let refusal = loop {
            match store.open(&member).await.expect_err("none was shown") {
                Fault::Refused(cause) => break cause.to_string(),
                // It may close the connection before what it says is read.
                Fault::NotDone(_) => {}
                fault => panic!("{fault:?}"),
            }
        };
        assert!(refusal.contains("`RedisLocks::from_client`"), "{refusal}");
    });
}

#[test]
fn servers_are_known_by_their_certificates() {
    if !Redis::available() {
        return;
    }
    let Some(certificates) = Certificates::make() else {
        return;
    };
    let (server, url) = serve(&certificates, "no");
    run(async {
        let store = Store::from_client(&client(&certificates, &url, false));
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
