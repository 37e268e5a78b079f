//! Certificates.

use std::fmt;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// Whom to believe, and who one is.
#[derive(Clone, Default)]
pub(crate) struct Certificates {
    authorities: Vec<Certificate>,
    identity: Option<Identity>,
}

impl Certificates {
    pub(crate) fn believe(&mut self, authority: impl AsRef<[u8]>) {
        self.authorities.push(Certificate::from_pem(authority));
    }

    pub(crate) fn be(&mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) {
        self.identity = Some(Identity::from_pem(certificate, key));
    }

    /// Those of the system are believed if no others are named.
    pub(crate) fn config(&self) -> ClientTlsConfig {
        let mut config = ClientTlsConfig::new();
        if self.authorities.is_empty() {
            config = config.with_native_roots();
        }
        if let Some(identity) = &self.identity {
            config = config.identity(identity.clone());
        }
        config.ca_certificates(self.authorities.iter().cloned())
    }
}

/// Without the key.
impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").finish_non_exhaustive()
    }
}
