//! What an answer that isn't one says about the question.

use lockutils_remote::{Fault, tls};
use std::error::Error;
use tonic::{Code, ConnectError, Status};

/// What the lease's end is called, as nobody can tell why it ended.
pub(crate) fn over() -> Fault {
    Fault::Over("the lease has expired or was revoked".into())
}

/// What has become of a question.
pub(crate) fn of(status: &Status) -> Fault {
    let text = text(status);
    if is_old_token(status) {
        return Fault::NotDone(text.into());
    }
    if status.message().contains("requested lease not found") {
        return over();
    }
    if let Some(remedy) = remedy(status) {
        return Fault::Refused(format!("{text}; {remedy}").into());
    }
    let not_done = was_not_sent(status)
        || status.code() == Code::ResourceExhausted
        || status.message() == "etcdserver: no leader";
    if not_done {
        Fault::NotDone(text.into())
    } else {
        Fault::Unknown(text.into())
    }
}

/// Whether another node may give a better answer.
pub(crate) fn is_of_node(status: &Status) -> bool {
    !matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::ResourceExhausted
    ) || status.source().is_some()
}

/// Whether the token is too old, and nothing was done.
pub(crate) fn is_old_token(status: &Status) -> bool {
    let texts = ["invalid auth token", "revision of auth store is old"];
    texts.iter().any(|text| status.message().contains(text))
}

/// Whether the server has no users, and so needs no login.
pub(crate) fn is_without_users(status: &Status) -> bool {
    status.message().contains("authentication is not enabled")
}

/// What somebody has to do before it is of any use to ask again.
fn remedy(status: &Status) -> Option<&'static str> {
    let message = status.message();
    let says = |part| message.contains(part);
    Some(match status.code() {
        _ if says("user name is empty") => "give `EtcdLocks` a user and a password",
        _ if says("invalid user ID or password") => "look at the user and the password",
        Code::PermissionDenied => {
            "let the user's role read and write all keys that begin with the prefix and a `/`: \
             `etcdctl role grant-permission --prefix ROLE readwrite PREFIX/`"
        }
        _ if says("database space exceeded") => {
            "compact and defragment the database, then disarm the alarm by `etcdctl alarm disarm`"
        }
        _ if is_of_another_server(status) => {
            "is it the port for clients of an etcd, 3.4 or newer, with TLS if the URL says so?"
        }
        _ if tls::wants_certificate(&chain(status)) => {
            "give `EtcdLocks` the certificate that the server wants, by `identity`"
        }
        _ if chain(status).contains("invalid peer certificate") => {
            "is it signed by an authority of the system, or of `ca_certificate`, for this host?"
        }
        Code::Unauthenticated | Code::InvalidArgument | Code::FailedPrecondition => {
            "the server's log may say more"
        }
        _ => return None,
    })
}

/// Whether what answered is no etcd.
fn is_of_another_server(status: &Status) -> bool {
    let texts = [
        "frame with invalid size",
        "invalid content-type",
        "corrupt message",
    ];
    let chain = chain(status);
    status.code() == Code::Unimplemented || texts.iter().any(|text| chain.contains(text))
}

/// Whether no connection was had.
fn was_not_sent(status: &Status) -> bool {
    causes(status).any(<dyn Error>::is::<ConnectError>)
}

fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(status.source(), |&cause| cause.source())
}

fn chain(status: &Status) -> String {
    let texts = causes(status).map(ToString::to_string);
    [status.message().to_owned()]
        .into_iter()
        .chain(texts)
        .collect::<Vec<_>>()
        .join(": ")
}

/// What the server said, or what the deepest cause says.
fn text(status: &Status) -> String {
    if let Some(cause) = causes(status).last() {
        return format!("the connection failed: {cause}");
    }
    let message = status.message().trim_start_matches("etcdserver: ");
    match message {
        "" => format!("etcd says: {}", status.code()),
        _ => format!("etcd says: {message}"),
    }
}
