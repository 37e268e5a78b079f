//! A server, and how a connection with it begins.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lockutils_remote::{Fault, Member, Shape, Store};
use redis::aio::{MultiplexedConnection, SendError};
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, Value};

use crate::fault::{self, refused};
use crate::script::Scripts;
use crate::session::RedisSession;
use crate::watch::Watches;
use crate::{name, url};

/// How many questions the client takes before it has sent the first of them.
const QUEUE: usize = 4096;

/// How many bytes there are of the names of former sessions: claims that wait are asked for again, or released, by the
/// next one, unless that ends at once.
const FORMER: usize = 4 * 16;

/// A Redis or Valkey server.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    name: String,
    /// The last sessions, as their channels have them, one behind the other.
    former: Arc<Mutex<String>>,
}

impl Redis {
    /// The server of a client.
    ///
    /// # Panics
    ///
    /// Never.
    #[must_use]
    pub fn from_client(client: &Client) -> Self {
        trust();
        let info = client.get_connection_info().clone();
        // What the server tells by itself needs the newer protocol.
        let settings = info.redis_settings().clone();
        let settings = settings.set_protocol(ProtocolVersion::RESP3);
        let settings = settings.set_lib_name(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        // Each question is small, and must not wait for the answer of the one before.
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let name = url::name(&info);
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        let client = Client::open(info).expect("the settings were made before");
        Self {
            client,
            name,
            former: Arc::default(),
        }
    }

    /// The sessions before this one, which has begun.
    fn former(&self, id: &str) -> String {
        let mut sessions = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        let former = sessions.clone();
        sessions.push_str(id);
        let too_many = sessions.len().saturating_sub(FORMER);
        sessions.drain(..too_many);
        former
    }
}

/// Chooses who does the cryptography of TLS, if the program hasn't.
fn trust() {
    #[cfg(feature = "rustls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.name).finish()
    }
}

impl Store for Redis {
    type Session = RedisSession;

    fn shape(&self) -> Shape {
        Shape {
            one_lease: false,
            ordered: true,
            fair: true,
            least_lease: Duration::from_millis(100),
            greatest_lease: Shape::LONGEST_LEASE,
        }
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn locate(&self, prefix: &str, key: &str) -> Result<String, &'static str> {
        if key.is_empty() {
            return Err("it is empty; name something");
        }
        Ok(name::lock(prefix, key))
    }

    async fn open(&self, member: &Arc<Member>) -> Result<RedisSession, Fault> {
        let watches = Arc::new(Watches::default());
        let told = Arc::clone(&watches);
        // How long the server may be silent is the agent's business.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE)
            .set_push_sender(move |push| {
                told.tell(&push);
                Ok::<_, SendError>(())
            });
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await.map_err(fault::of_opening)?;
        let (number, scripts) = prepare(&mut connection, member).await?;
        // No other session has it, not even one of another life of the server.
        let id = format!("{:016x}", RandomState::new().build_hasher().finish());
        let channels = name::channels(&member.prefix);
        let subscribed = connection.subscribe(format!("{channels}{id}")).await;
        subscribed.map_err(fault::of_opening)?;
        let session = RedisSession {
            connection,
            scripts,
            watches,
            member: Arc::clone(member),
            lease: u64::try_from(member.lease.as_millis()).unwrap_or(u64::MAX >> 12),
            fence: name::fence(&member.prefix),
            former: self.former(&id),
            id,
            channels,
            opened: Instant::now(),
        };
        match session.try_rights(number).await {
            // As when its memory is full, which doesn't keep it from renewing and releasing.
            Ok(()) | Err(Fault::NotDone(_)) => Ok(session),
            Err(fault) => Err(fault),
        }
    }
}

/// Makes sure that it is the right kind of server, and brings it the scripts. Gives the
/// connection's number there.
async fn prepare(
    connection: &mut MultiplexedConnection,
    member: &Member,
) -> Result<(i64, Scripts), Fault> {
    let mut questions = redis::pipe();
    questions.cmd("HELLO").arg(3);
    questions.cmd("INFO").arg("memory");
    questions
        .cmd("CLIENT")
        .arg("SETNAME")
        .arg(client_name(member))
        .ignore();
    questions
        .cmd("CLIENT")
        .arg("TRACKING")
        .arg("ON")
        .arg("NOLOOP")
        .ignore();
    let (hello, memory): (HashMap<String, Value>, String) = questions
        .query_async(connection)
        .await
        .map_err(fault::of_opening)?;
    refuse_what_does_not_fit(&hello, &memory)?;
    let mut load = redis::pipe();
    for text in Scripts::TEXTS {
        load.cmd("SCRIPT").arg("LOAD").arg(text);
    }
    let digests: [String; 3] = load
        .query_async(connection)
        .await
        .map_err(fault::of_opening)?;
    let number = match hello.get("id") {
        Some(Value::Int(number)) => *number,
        _ => 0,
    };
    Ok((number, Scripts::new(digests)))
}

/// Refuses a server that can't keep the promises. It has said these things of itself.
fn refuse_what_does_not_fit(hello: &HashMap<String, Value>, memory: &str) -> Result<(), Fault> {
    let said = |what| match hello.get(what) {
        Some(Value::BulkString(text)) => String::from_utf8_lossy(text).into_owned(),
        Some(Value::SimpleString(text)) => text.clone(),
        _ => String::new(),
    };
    match said("mode").as_str() {
        "standalone" => {}
        "sentinel" => {
            return Err(refused(
                "it is a sentinel",
                "use the URL of the server that it watches",
            ));
        }
        _ => {
            return Err(refused(
                "it is part of a cluster, where locks may move",
                "use a server that isn't",
            ));
        }
    }
    if said("role") != "master" {
        return Err(refused("it is a replica", "use the URL of the primary"));
    }
    if !memory.contains("maxmemory_policy:noeviction") {
        return Err(refused(
            "it evicts keys when its memory is full, and so locks",
            "set its `maxmemory-policy` to `noeviction`",
        ));
    }
    Ok(())
}

/// What `CLIENT LIST` shows.
fn client_name(member: &Member) -> String {
    let plain = |char: char| if char.is_ascii_graphic() { char } else { '_' };
    format!("lockutils:{}:{}", member.host, member.pid)
        .chars()
        .map(plain)
        .collect()
}
