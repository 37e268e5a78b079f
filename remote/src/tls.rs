//! What an error of TLS says, which a client has in its text only.

/// Whether the server has ended the connection for want of a certificate of the client, by the alerts of RFC 8446, 6.2, as
/// rustls names them.
#[must_use]
pub fn wants_certificate(text: &str) -> bool {
    let alerts = ["CertificateRequired", "BadCertificate", "HandshakeFailure"];
    let alert = text.split("received fatal alert: ").nth(1);
    alert.is_some_and(|alert| alerts.iter().any(|name| alert.starts_with(name)))
}

#[cfg(test)]
mod tests {
    use super::wants_certificate;

    #[test]
    fn other_alerts_want_no_certificate() {
        assert!(wants_certificate(
            "io: received fatal alert: CertificateRequired (os)"
        ));
        assert!(!wants_certificate("received fatal alert: InternalError"));
        assert!(!wants_certificate("CertificateRequired"));
    }
}
