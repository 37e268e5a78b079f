//! Certificates for servers with TLS, which `openssl` makes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program;

/// An authority, and what it says that a server is 127.0.0.1 and localhost.
#[derive(Debug)]
pub struct Certificates {
    directory: tempfile::TempDir,
}

impl Certificates {
    /// Makes some; none where `openssl` isn't installed, which it says.
    ///
    /// # Panics
    ///
    /// If they can't be made, or where `LOCKUTILS_SERVERS` is `required`.
    #[must_use]
    pub fn make() -> Option<Self> {
        let directory = tempfile::Builder::new()
            .prefix("lockutils-certificates-")
            .tempdir()
            .expect("a temporary directory");
        let path = directory.path();
        // The server may be run by another user.
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, all).expect("its owner may do that");
        if program::find("LOCKUTILS_OPENSSL", "openssl").is_none() {
            let required = std::env::var("LOCKUTILS_SERVERS").is_ok_and(|told| told == "required");
            assert!(!required, "openssl is not installed");
            eprintln!("skipped: openssl is not installed");
            return None;
        }
        let names = "subjectAltName=IP:127.0.0.1,DNS:localhost\n";
        fs::write(path.join("names"), names).expect("the directory can be written");
        let authority =
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=authority";
        let one = "req -newkey rsa:2048 -nodes -keyout one.key -out one.csr -subj /CN=one";
        let sign = "x509 -req -in one.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out one.pem";
        for arguments in [authority, one, sign] {
            openssl(path, arguments);
        }
        // A server refuses a key that others may read.
        let key = path.join("one.key");
        let owner = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&key, owner).expect("its owner may do that");
        program::give_away(&key);
        Some(Self { directory })
    }

    /// The file of the authority's certificate.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The file of the server's certificate, which is a client's as well.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.directory.path().join("one.pem")
    }

    /// The file of its key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.directory.path().join("one.key")
    }
}

fn openssl(directory: &Path, arguments: &str) {
    let program = program::find("LOCKUTILS_OPENSSL", "openssl").expect("it is installed");
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).current_dir(directory);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "{command:?}");
}
