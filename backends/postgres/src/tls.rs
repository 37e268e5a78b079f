//! Whether a URL's connection has TLS.

use std::sync::Arc;

#[cfg(not(feature = "rustls"))]
use lockutils_remote::url::needs_tls;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

use crate::link::Dial;

/// What connects with this mode; else why that can't be.
#[cfg(not(feature = "rustls"))]
pub(crate) fn of(mode: SslMode) -> Result<Arc<dyn Dial>, String> {
    if mode == SslMode::Require {
        return Err(needs_tls("`sslmode`", "lockutils-postgres"));
    }
    Ok(Arc::new(NoTls))
}

/// What connects with this mode; else why that can't be.
#[cfg(feature = "rustls")]
pub(crate) fn of(mode: SslMode) -> Result<Arc<dyn Dial>, String> {
    if mode == SslMode::Disable {
        return Ok(Arc::new(NoTls));
    }
    Ok(Arc::new(rustls::Connector::new()?))
}

/// TLS by rustls, which trusts whom the system trusts.
#[cfg(feature = "rustls")]
mod rustls {
    use std::future::Future;
    use std::io;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
    use tokio_postgres::Socket;
    use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

    #[derive(Clone)]
    pub(super) struct Connector(TlsConnector);

    impl Connector {
        pub(super) fn new() -> Result<Self, String> {
            let mut roots = RootCertStore::empty();
            // Those that can't be read are missed when a server has one of them.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            let provider = Arc::new(crypto::ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            Ok(Self(TlsConnector::from(Arc::new(config))))
        }
    }

    impl MakeTlsConnect<Socket> for Connector {
        type Stream = Stream;
        type TlsConnect = Connect;
        type Error = io::Error;

        fn make_tls_connect(&mut self, domain: &str) -> io::Result<Connect> {
            let name = ServerName::try_from(domain.to_owned()).map_err(io::Error::other)?;
            Ok(Connect(self.0.clone(), name))
        }
    }

    pub(super) struct Connect(TlsConnector, ServerName<'static>);

    impl TlsConnect<Socket> for Connect {
        type Stream = Stream;
        type Error = io::Error;
        type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

        fn connect(self, socket: Socket) -> Self::Future {
            let connecting = self.0.connect(self.1, socket);
            Box::pin(async move { connecting.await.map(Stream) })
        }
    }

    pub(super) struct Stream(tokio_rustls::client::TlsStream<Socket>);

    impl TlsStream for Stream {
        fn channel_binding(&self) -> ChannelBinding {
            ChannelBinding::none()
        }
    }

    impl AsyncRead for Stream {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Stream {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, buf)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }
}
