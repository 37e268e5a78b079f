//! TLS, with certificates that `openssl` makes.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use lockutils_redis::Redis as Store;
use lockutils_remote::{Fault, Session as _, Store as _};
use lockutils_servers::{Certificates, Redis};
use redis::{Client, TlsCertificates};

use crate::setting::{claim, granted, member, open, open_as, run};

#[test]
fn servers_are_known_by_their_certificates() {
    if !Redis::available() {
        return;
    }
    let Some(certificates) = Certificates::make() else {
        return;
    };
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let text = |file: PathBuf| file.to_str().unwrap().to_owned();
    let certificate = text(certificates.certificate());
    let key = text(certificates.key());
    let port = port.to_string();
    let mut arguments = vec!["--tls-port", &port, "--tls-auth-clients", "no"];
    arguments.extend(["--tls-cert-file", &certificate, "--tls-key-file", &key]);
    let ca = text(certificates.authority());
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
