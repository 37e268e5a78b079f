//! Whether a pooler is between, and one that gives each transaction another session.
//!
//! Through a pooler, the process that the server named at the login isn't the backend that answers.
//! The client tells that number to nobody, but writes it into the request to cancel a query,
//! which goes to a stream here that leads nowhere. So who connects to the server itself is never
//! asked for more.
//!
//! Else the lock would be taken on one backend, and released on another, which tells by a second
//! connection: two that live have two backends, unless they are lent for each transaction.
//!
//! What is lent for a session may have locks and statements of who had it before, if the pooler is told not to reset it.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use lockutils_remote::{Fault, Member};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_postgres::error::DbError;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, SimpleQueryMessage};

use crate::link::{Dial, Link};
use crate::{fault, sql};

/// How often the backends are compared. Once is enough, unless others use the pool.
const ROUNDS: usize = 5;

/// Refuses a pooler that isn't to be locked through, and resets what another one has lent.
pub(crate) async fn refuse(
    client: &Client,
    backend: i32,
    dial: &dyn Dial,
    config: &Config,
    member: &Member,
) -> Result<(), Fault> {
    if named_at_login(client).await == Some(backend) {
        return Ok(());
    }
    // The pooler may have none for the second one, and be silent.
    let looked = timeout(member.share(2), async {
        let second = Link::open(dial, config, |_| {}).await?;
        let other = second.client()?;
        compare(client, backend, &other).await?;
        for lent in [client, &other] {
            let reset = lent.batch_execute(sql::RESET).await;
            reset.map_err(|error| fault::of_login(&error))?;
        }
        Ok(())
    });
    looked.await.unwrap_or_else(|_| Err(too_few()))
}

/// Compares the backends of two connections, the first of which has this one.
async fn compare(client: &Client, backend: i32, other: &Client) -> Result<(), Fault> {
    for _ in 0..ROUNDS {
        let theirs = backend_of(other, "BEGIN; SELECT pg_backend_pid()").await?;
        let ours = backend_of(client, "SELECT pg_backend_pid()").await?;
        let rolled_back = other.batch_execute("ROLLBACK").await;
        rolled_back.map_err(|error| fault::of_login(&error))?;
        if theirs == ours || ours != backend {
            return Err(pooled());
        }
    }
    Ok(())
}

/// What such a pooler is refused with.
pub(crate) fn pooled() -> Fault {
    let text = "a pooler gives each transaction another session, and a lock belongs to one; \
                connect to the server itself, or let PgBouncer have pool_mode=session";
    Fault::Refused(text.into())
}

/// One that has no session for a second connection, by which it would be known.
fn too_few() -> Fault {
    let text = "a pooler is between that gives no second session, by which it is looked at; let it have more than \
                one, and one for each process, by PgBouncer's default_pool_size, or connect to the server itself";
    Fault::NotDone(text.into())
}

async fn backend_of(client: &Client, query: &str) -> Result<i32, Fault> {
    let answers = client.simple_query(query).await;
    let answers = answers.map_err(|error| {
        // One that gives each statement another session allows no transactions. All that PgBouncer says has one code.
        let said = error.as_db_error().map(DbError::message);
        if said.is_some_and(|message| message.contains("statement pooling")) {
            pooled()
        } else {
            fault::of_login(&error)
        }
    })?;
    let backend = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    backend.ok_or_else(|| Fault::Refused("it doesn't say which backend it is".into()))
}

/// The process that the server named.
async fn named_at_login(client: &Client) -> Option<i32> {
    let nowhere = Nowhere::default();
    let stream = nowhere.clone();
    let token = client.cancel_token();
    token.cancel_query_raw(stream, nowhere.clone()).await.ok()?;
    let written = nowhere.0.lock().unwrap_or_else(PoisonError::into_inner);
    // The request ends with it, and with a secret of four bytes.
    let end = written.len().checked_sub(4)?;
    let number = written.get(end.checked_sub(4)?..end)?;
    Some(i32::from_be_bytes(number.try_into().ok()?))
}

/// A stream, of TLS as well, that keeps what is written and agrees to everything.
#[derive(Clone, Default)]
struct Nowhere(Arc<Mutex<Vec<u8>>>);

impl AsyncRead for Nowhere {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() > 0 {
            buf.put_slice(b"S");
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Nowhere {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for Nowhere {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl TlsConnect<Self> for Nowhere {
    type Stream = Self;
    type Error = io::Error;
    type Future = Ready<io::Result<Self>>;

    fn connect(self, stream: Self) -> Self::Future {
        ready(Ok(stream))
    }
}
