//! What an error of the client means to who asked.

use lockutils_remote::{Fault, tls};
use redis::{ErrorKind, RedisError};

/// What an old server, or another one, lacks.
const NEEDED: &str = "Redis 6 or newer, or Valkey, is needed";

const NO_CLUSTER: &str = "use a server that isn't part of a cluster";

/// The rights that a user of the server needs, as `ACL SETUSER` takes them.
const RIGHTS: &str = "+hello +select +info +scan +get +mget +getset +set +del +pexpire +pttl +time \
                      +zadd +zcard +zrem +zpopmin +publish +subscribe +pubsub|numsub +eval +evalsha +script|load \
                      +client|tracking +client|setname ~PREFIX:* &PREFIX:*";

/// What is to be done about an error by which the server did nothing, nor will, until somebody
/// has seen to it. By the word that the server's text begins with.
const REFUSED: [(&str, &str); 10] = [
    ("WRONGPASS", "check user and password"),
    ("NOAUTH", "give a user and a password"),
    ("NOPERM", "the user needs these rights: "),
    ("MISCONF", "see to the server's disk"),
    ("WRONGTYPE", "use another prefix"),
    ("MOVED", NO_CLUSTER),
    ("ASK", NO_CLUSTER),
    ("CROSSSLOT", NO_CLUSTER),
    ("CLUSTERDOWN", NO_CLUSTER),
    ("NOPROTO", NEEDED),
];

/// Errors by which it did nothing, and which go away.
const NOT_DONE: [&str; 5] = ["LOADING", "BUSY", "TRYAGAIN", "NOREPLICAS", "OOM"];

/// Errors of a server that has become a replica, by a failover. It keeps its connections, and the URL may lead
/// to another one by now: so the session is over, and the next one finds out.
const DEMOTED: [&str; 2] = ["READONLY", "MASTERDOWN"];

/// What has become of a question.
pub(crate) fn of(error: RedisError) -> Fault {
    match error.kind() {
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed => {
            Fault::Over(error.into())
        }
        _ => said(&words(&error)).unwrap_or_else(|| Fault::Unknown(error.into())),
    }
}

/// What has become of an attempt to connect. The server did nothing, in any case.
pub(crate) fn of_opening(error: RedisError) -> Fault {
    let text = words(&error);
    let has = |part| text.contains(part);
    match error.kind() {
        ErrorKind::Parse => refused("it is no Redis server", NEEDED),
        _ if has("unknown command") => refused("the server is too old", NEEDED),
        ErrorKind::RESP3NotSupported => refused("the server is too old", NEEDED),
        ErrorKind::AuthenticationFailed => {
            refused("it refused the login", "check user and password")
        }
        _ if has("switch database") => refused("it has no such database", "use another number"),
        ErrorKind::Io if has("certificate") => {
            refused(&text, "see to its certificate, or to what is trusted here")
        }
        ErrorKind::Io if tls::wants_certificate(&text) => refused(
            &text,
            "give the certificate that the server wants by `RedisLocks::from_client`",
        ),
        ErrorKind::InvalidClientConfig => refused(&text, "see to the host of the URL"),
        // Its word for it gets lost where the first question crosses it.
        _ if error.is_connection_dropped() && !error.is_connection_refusal() => Fault::NotDone(
            format!("it ended the connection ({text}), as a server does that has its `maxclients`, or that wants TLS")
                .into(),
        ),
        _ => said(&text).unwrap_or_else(|| Fault::NotDone(error.into())),
    }
}

/// What is wrong, and the remedy.
pub(crate) fn refused(what: &str, remedy: &str) -> Fault {
    Fault::Refused(format!("{what}; {remedy}").into())
}

/// What the server's own word for an error means.
fn said(text: &str) -> Option<Fault> {
    // What fails in a script has its word in front, or within, or none for rights.
    let in_script =
        text.contains("user executing the script can't") || text.contains("ACL failure in script");
    let is = |word: &&str| {
        let mut parts = text.split([' ', '-', ':']);
        parts.any(|part| part == *word) || in_script && *word == "NOPERM"
    };
    if DEMOTED.iter().any(is) {
        return Some(Fault::Over(
            format!("{text}; use the URL of the primary").into(),
        ));
    }
    if let Some((word, remedy)) = REFUSED.iter().find(|(word, _)| is(word)) {
        let rights = if *word == "NOPERM" { RIGHTS } else { "" };
        return Some(refused(text, &format!("{remedy}{rights}")));
    }
    let for_now = NOT_DONE.iter().any(is);
    for_now.then(|| Fault::NotDone(text.into()))
}

/// The server's words, or the client's.
fn words(error: &RedisError) -> String {
    let of_server = error.clone().into_server_errors();
    match of_server.as_deref() {
        Some([(_, first), ..]) => {
            format!("{} {}", first.code(), first.details().unwrap_or_default())
        }
        _ => error.to_string(),
    }
}
