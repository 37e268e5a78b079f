//! etcd, alone and as a cluster of three.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lockutils_conformance::LIMIT;

use crate::port::{self, BRIEF, exchange};
use crate::program;
use crate::server::{Kind, Server};

const NODES: usize = 3;

/// An etcd server, or a node of a cluster.
pub type Etcd = Server<EtcdKind>;

/// How etcd is run.
#[derive(Debug)]
pub enum EtcdKind {}

impl Kind for EtcdKind {
    const NAME: &'static str = "etcd";

    fn installed() -> bool {
        program::find("LOCKUTILS_ETCD", "etcd").is_some()
    }

    fn prepare(data: &Path) {
        fs::create_dir(data).expect("the directory can be written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(data, mode).expect("its owner may do that");
    }

    fn command(data: &Path, port: u16) -> Command {
        let program = program::find("LOCKUTILS_ETCD", "etcd").expect("it is installed");
        let client = format!("http://127.0.0.1:{port}");
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(data);
        command.args(["--listen-client-urls", &client]);
        command.args(["--advertise-client-urls", &client]);
        // Nobody is its peer, unless more arguments say so.
        command.args(["--listen-peer-urls", "http://127.0.0.1:0"]);
        command
    }

    /// Not before there is a leader.
    fn ready(port: u16) -> bool {
        ask(port, "GET /health", "", BRIEF)
            .is_some_and(|answer| answer.contains(r#""health":"true""#))
    }

    fn url(port: u16) -> String {
        format!("etcd://127.0.0.1:{port}")
    }
}

impl Etcd {
    /// What `etcdctl` does, through the HTTP gateway of the server of a port: one call, whose body and
    /// answer are in JSON.
    ///
    /// # Panics
    ///
    /// If it doesn't answer.
    #[must_use]
    pub fn call(port: u16, path: &str, body: &str) -> String {
        // It isn't asked again, and to hash a password takes its time on a busy machine.
        let answer = ask(port, &format!("POST /v3/{path}"), body, LIMIT);
        answer.expect("the server answers")
    }

    /// Makes a user `root` and one without rights, `nobody`, and demands logins from now on, by the
    /// password `s3cret`.
    ///
    /// # Panics
    ///
    /// If it doesn't do so.
    pub fn demand_logins(&self) {
        let call = |path, body: String| Self::call(self.port(), path, &body);
        for name in ["root", "nobody"] {
            let user = format!(r#"{{"name":"{name}","password":"s3cret"}}"#);
            let _ = call("auth/user/add", user);
            let _ = call("auth/role/add", format!(r#"{{"name":"{name}"}}"#));
            let role = format!(r#"{{"user":"{name}","role":"{name}"}}"#);
            let _ = call("auth/user/grant", role);
        }
        let answer = call("auth/enable", "{}".to_owned());
        assert!(answer.contains("200 OK"), "{answer}");
    }
}

/// Three etcd servers that are one.
#[derive(Debug)]
pub struct EtcdCluster {
    nodes: Vec<Etcd>,
}

impl EtcdCluster {
    /// Starts one, and waits until all its nodes answer.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn start() -> Self {
        // Somebody may have got a port meanwhile.
        for _ in 0..3 {
            let cluster = Self::spawn();
            if cluster.become_ready() {
                return cluster;
            }
        }
        panic!("a cluster of etcd can't be started");
    }

    fn spawn() -> Self {
        let peers: [_; NODES] =
            std::array::from_fn(|_| format!("http://127.0.0.1:{}", port::free()));
        let all = peers.iter().enumerate();
        let all = all.map(|(node, peer)| format!("n{node}={peer}"));
        let all = all.collect::<Vec<_>>().join(",");
        let nodes = peers.iter().enumerate().map(|(node, peer)| {
            let name = format!("n{node}");
            let more = [
                ["--name", &name],
                ["--listen-peer-urls", peer],
                ["--initial-advertise-peer-urls", peer],
                ["--initial-cluster", &all],
            ];
            let more = more.concat().into_iter().map(str::to_owned).collect();
            let node = Etcd::prepared(port::free(), more, EtcdKind::prepare);
            node.spawn();
            node
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    fn become_ready(&self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if self.nodes.iter().all(|node| EtcdKind::ready(node.port())) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Its URL, with all nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let addresses = self.nodes.iter();
        let addresses = addresses.map(|node| format!("127.0.0.1:{}", node.port()));
        format!("etcd://{}", addresses.collect::<Vec<_>>().join(","))
    }

    /// Its three nodes. To restart one waits until the cluster has a leader.
    #[must_use]
    pub fn nodes(&self) -> &[Etcd] {
        &self.nodes
    }

    /// Which of the nodes leads, as far as one that answers knows.
    #[must_use]
    pub fn leader(&self) -> Option<usize> {
        self.nodes.iter().position(|node| {
            let status = ask(node.port(), "POST /v3/maintenance/status", "{}", BRIEF);
            let status = status.unwrap_or_default();
            let number = |name| {
                let (_, rest) = status.split_once(&format!(r#""{name}":""#))?;
                rest.split('"').next()
            };
            number("leader").is_some_and(|leader| Some(leader) == number("member_id"))
        })
    }
}

impl Drop for EtcdCluster {
    fn drop(&mut self) {
        // The last ones would wait for the others otherwise.
        for node in &self.nodes {
            node.kill();
        }
    }
}

/// One HTTP request.
fn ask(port: u16, what: &str, body: &str, patience: Duration) -> Option<String> {
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let answer = exchange(port, request.as_bytes(), 1 << 16, patience)?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
