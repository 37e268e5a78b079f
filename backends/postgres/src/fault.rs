//! What the client's errors mean, and what is to be done about them.

use std::error::Error as _;
use std::{fmt, io};

use lockutils_remote::Fault;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Where nothing can be written.
const WRITABLE: &str = "use the primary, and no role with default_transaction_read_only";

/// Of a connection that wasn't made.
pub(crate) fn of_login(error: &Error) -> Fault {
    let text = text(error);
    if let Some(error) = error.as_db_error() {
        let remedy = match *error.code() {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                "check the user and the password, and the server's pg_hba.conf"
            }
            SqlState::INVALID_CATALOG_NAME | SqlState::DATABASE_DROPPED => {
                "name another database, or create this one"
            }
            SqlState::INSUFFICIENT_PRIVILEGE => "grant the role the right to connect",
            SqlState::READ_ONLY_SQL_TRANSACTION => WRITABLE,
            // Somebody makes the sequence and the table. The role's own limits go for a session until it is settled.
            SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED => {
                let remedy = "give the role a longer lock_timeout or statement_timeout";
                return Fault::NotDone(format!("{text}; {remedy}").into());
            }
            _ if passes(error) => return Fault::NotDone(text.into()),
            _ => "see the server's log",
        };
        return Fault::Refused(format!("{text}; {remedy}").into());
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    match cause.map(io::Error::kind) {
        // What isn't a message of this protocol, or of TLS.
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Fault::Refused(
            format!(
                "{text}; check that it is a PostgreSQL server, and that its certificate is trusted \
                 here, to which SSL_CERT_FILE may add"
            )
            .into(),
        ),
        // The client's word for it, when it is to look for a primary.
        Some(io::ErrorKind::PermissionDenied) => standby(),
        Some(io::ErrorKind::UnexpectedEof) => not_postgres(&text),
        Some(_) => Fault::NotDone(text.into()),
        None if error.is_closed() => not_postgres(&text),
        None => Fault::Refused(format!("{text}; check the URL and the server's settings").into()),
    }
}

/// Of a statement.
pub(crate) fn of_answer(error: &Error) -> Fault {
    let text = text(error);
    let Some(error) = error.as_db_error() else {
        return Fault::Over(text.into());
    };
    let remedy = match *error.code() {
        _ if ends_session(error) => return Fault::Over(text.into()),
        SqlState::OUT_OF_MEMORY => {
            "its lock table is full, which all sessions share; \
             hold fewer locks, or raise max_locks_per_transaction"
        }
        SqlState::INSUFFICIENT_PRIVILEGE | SqlState::UNDEFINED_TABLE => {
            "give back the role's rights for public.lockutils_fence and public.lockutils_holders"
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => WRITABLE,
        SqlState::SEQUENCE_GENERATOR_LIMIT_EXCEEDED => {
            "give the sequence public.lockutils_fence a greater MAXVALUE"
        }
        _ => return Fault::Unknown(text.into()),
    };
    Fault::Refused(format!("{text}; {remedy}").into())
}

/// A server that follows another.
#[derive(Debug)]
pub(crate) struct Standby;

impl fmt::Display for Standby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "it is a standby, which grants locks that the primary knows nothing of; \
             connect to the primary",
        )
    }
}

impl std::error::Error for Standby {}

pub(crate) fn standby() -> Fault {
    Fault::Refused(Box::new(Standby))
}

fn not_postgres(text: &str) -> Fault {
    let text = format!("it ended the connection ({text}); check that it is a PostgreSQL server");
    Fault::NotDone(text.into())
}

/// What the server said, or what the client says of it.
pub(crate) fn text(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_owned();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Whether it may be another answer in a moment: the server starts, ends, or has no place; or somebody was in the way. Of
/// class 57 there are others as well, which somebody has decided.
fn passes(error: &DbError) -> bool {
    let code = error.code().code();
    let passing = ["08", "40", "53", "57P01", "57P02", "57P03", "57P05"];
    passing.iter().any(|of| code.starts_with(of))
}

fn ends_session(error: &DbError) -> bool {
    matches!(error.severity(), "FATAL" | "PANIC") || error.code().code().starts_with("57P")
}
