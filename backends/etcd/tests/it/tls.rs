//! TLS, with certificates that `openssl` makes.

use lockutils_etcd::Etcd;
use lockutils_remote::{Fault, FromUrl, Session, Store};
use lockutils_servers::{Certificates, Etcd as Server, free_port};
use std::fs;
use std::path::{Path, PathBuf};
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

/// A server that demands certificates.
fn serve(directory: &Path, certificates: &Certificates, url: &str) -> Killed {
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
    command.arg("--cert-file").arg(certificates.certificate());
    command.arg("--key-file").arg(certificates.key());
    command.arg("--client-cert-auth");
    command
        .arg("--trusted-ca-file")
        .arg(certificates.authority());
    Killed(command.spawn().unwrap())
}

#[test]
fn certificates_are_demanded_and_shown() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    if !Server::available() {
        return;
    }
    let Some(certificates) = Certificates::make() else {
        return;
    };
    let port = free_port();
    let url = format!("https://127.0.0.1:{port}");
    let _server = serve(directory, &certificates, &url);

    let read = |file: PathBuf| fs::read(file).unwrap();
    let trusting = || {
        Etcd::from_url(&url)
            .unwrap()
            .ca_certificate(read(certificates.authority()))
    };
    run(async {
        let begun = Instant::now();
        let session = loop {
            let store =
                trusting().identity(read(certificates.certificate()), read(certificates.key()));
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
            loop {
                let fault = store.open(&member).await.err().expect("refused");
                // Else it has closed the connection before what it says was read, and is asked again.
                if let Fault::Refused(cause) = fault {
                    break cause.to_string();
                }
            }
        };
        let text = refused(trusting()).await;
        assert!(text.contains("`identity`"), "{text}");
        let text = refused(Etcd::from_url(&url).unwrap()).await;
        assert!(text.contains("is it signed by an authority"), "{text}");
    });
}
