//! The cluster, as a URL and the builder's methods name it.

use lockutils::engine::Refusal;
use lockutils_remote::{Fault, FromUrl, Member, Shape, Store};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use tonic::transport::Endpoint;

use crate::link::{Kind, Link};
use crate::name;
use crate::proto::StatusRequest;
use crate::proto::maintenance_client::MaintenanceClient;
use crate::session::EtcdSession;
#[cfg(feature = "rustls")]
use crate::tls::Certificates;
use crate::url::{Address, Login};

/// A cluster of etcd: the [`Store`] of `EtcdLocks`.
#[derive(Clone, Debug)]
pub struct Etcd {
    address: Address,
    /// The number of the node that is asked first, once it is taken modulo their count.
    turn: Arc<AtomicUsize>,
    #[cfg(feature = "rustls")]
    certificates: Certificates,
}

impl Etcd {
    /// Has this user ask, instead of the one of the URL.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        let (user, password) = (user.to_owned(), password.to_owned());
        self.address.login = Some(Login { user, password });
        self
    }

    /// Turns TLS on, and believes this authority, in PEM, instead of those of the system.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn ca_certificate(mut self, authority: impl AsRef<[u8]>) -> Self {
        self.address.tls = true;
        self.certificates.believe(authority);
        self
    }

    /// Turns TLS on, and shows this certificate, whose key is the other one, both in PEM.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn identity(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.address.tls = true;
        self.certificates.be(certificate, key);
        self
    }

    /// The nodes, each with how to connect; an attempt may take so long.
    fn nodes(&self, patience: Duration) -> Result<Vec<Endpoint>, Fault> {
        let scheme = if self.address.tls { "https" } else { "http" };
        let nodes = self.address.nodes.iter().map(|node| {
            let node = Endpoint::from_shared(format!("{scheme}://{node}"))?;
            let node = node
                .connect_timeout(patience)
                .tcp_keepalive(Some(Duration::from_secs(10)));
            self.secure(node)
        });
        let nodes: Result<_, tonic::transport::Error> = nodes.collect();
        nodes.map_err(|error| Fault::Refused(format!("{error}; look at the certificates").into()))
    }

    #[cfg(feature = "rustls")]
    fn secure(&self, node: Endpoint) -> Result<Endpoint, tonic::transport::Error> {
        if self.address.tls {
            node.tls_config(self.certificates.config())
        } else {
            Ok(node)
        }
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_self, reason = "the other one uses it")]
    #[expect(clippy::unnecessary_wraps, reason = "the other one can fail")]
    fn secure(&self, node: Endpoint) -> Result<Endpoint, tonic::transport::Error> {
        Ok(node)
    }
}

impl FromUrl for Etcd {
    fn from_url(url: &str) -> Result<Self, Refusal> {
        // Each process with another node, so that they share the work.
        let turn = RandomState::new().hash_one(0) >> 32;
        let turn = usize::try_from(turn).unwrap_or_default();
        Ok(Self {
            address: Address::read(url).map_err(Refusal::invalid_url)?,
            turn: Arc::new(AtomicUsize::new(turn)),
            #[cfg(feature = "rustls")]
            certificates: Certificates::default(),
        })
    }
}

impl Store for Etcd {
    type Session = EtcdSession;

    fn shape(&self) -> Shape {
        Shape {
            one_lease: true,
            ordered: false,
            fair: true,
            least_lease: Duration::from_secs(2),
            greatest_lease: Shape::LONGEST_LEASE,
        }
    }

    fn name(&self) -> String {
        self.address.to_string()
    }

    fn locate(&self, prefix: &str, key: &str) -> Result<String, &'static str> {
        name::locate(prefix, key)
    }

    async fn open(&self, member: &Arc<Member>) -> Result<EtcdSession, Fault> {
        let names = &self.address.nodes;
        let share = member.share(names.len());
        let nodes = self.nodes(share)?;
        // The next attempt begins with the next node, however this one ends.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let login = self.address.login.clone();
        let link = Arc::new(Link::new(nodes, turn, login, member.answer_timeout));
        let mut faults = Vec::new();
        for _ in names {
            let turn = link.turn();
            let opening = timeout(share, greet_and_open(member, &link)).await;
            let silent = |_| Err(Fault::NotDone("it has not answered".into()));
            match opening.unwrap_or_else(silent) {
                Ok(session) => {
                    self.turn.store(link.turn(), Ordering::Relaxed);
                    return Ok(session);
                }
                // The link has left the node where that is to blame, as for its certificate.
                Err(refused @ Fault::Refused(_)) if link.turn() == turn => return Err(refused),
                Err(fault) => faults.push((names[turn % names.len()].clone(), fault)),
            }
            link.move_on(turn);
        }
        Err(Fault::none_of(faults))
    }
}

/// Looks whether an etcd is there, and how old it is, and begins a session.
async fn greet_and_open(member: &Arc<Member>, link: &Arc<Link>) -> Result<EtcdSession, Fault> {
    let status = link.ask(Kind::Look, StatusRequest {}, |channel, request| async {
        MaintenanceClient::new(channel).status(request).await
    });
    let version = status.await?.version;
    let mut numbers = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or_default());
    if (numbers.next(), numbers.next()) < (Some(3), Some(4)) {
        let text = format!("it is an etcd {version}; locks need 3.4 or newer");
        return Err(Fault::Refused(text.into()));
    }
    EtcdSession::open(member, Arc::clone(link)).await
}
