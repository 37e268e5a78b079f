//! Functions with every argument, and with some together.

use std::convert::identity;
use std::pin::Pin;
use std::time::Duration;

#[cfg(feature = "lockutils")]
use lockutils::synchronized;
use lockutils::{Error, Locks};

/// A space.
static SPACE: Locks = Locks::new("space");

#[cfg_attr(feature = "lockutils", synchronized)]
fn own(id: u32) -> u32 {
    id
}

#[rustfmt::skip]
#[cfg_attr(feature = "lockutils", synchronized("text"))]
fn one_line(id: u32) -> u32 { id }

/// As `clippy::implicit_return` wants it.
#[cfg_attr(feature = "lockutils", synchronized("text"))]
#[expect(clippy::needless_return, reason = "the one lint or the other")]
fn explicit_return(id: u32) -> u32 {
    return id;
}

#[cfg_attr(feature = "lockutils", synchronized("vm-{id}"))]
fn captures(id: u32) -> u32 {
    identity(id)
}

#[cfg_attr(feature = "lockutils", synchronized(key = (id, name), locks = SPACE))]
fn key(id: u32, name: &str) -> Option<usize> {
    let rest = name.len().checked_sub(usize::try_from(id).ok()?)?;
    if rest > 5 {
        return None;
    }
    Some(rest)
}

#[cfg_attr(feature = "lockutils", synchronized(key = id))]
async fn key_async(id: u32) -> u32 {
    std::future::ready(id).await
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, locks = SPACE))]
async fn space_async(id: u32) -> u32 {
    std::future::ready(id).await
}

#[cfg_attr(feature = "lockutils", synchronized(keys = [id, 7]))]
fn keys(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "lockutils", synchronized(keys = ids))]
async fn keys_async(ids: &[u32]) -> usize {
    std::future::ready(ids.len()).await
}

#[cfg_attr(feature = "lockutils", synchronized(keys = ids.iter()))]
fn keys_of_an_iterator(ids: &[u32]) -> usize {
    ids.len()
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, shared))]
fn shared(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, acquire_timeout = "5s"))]
fn timeout(id: u32) -> Result<u32, Error> {
    if id > 5 { Ok(id) } else { Ok(5) }
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, acquire_timeout = patience))]
async fn timeout_async(id: u32, patience: Duration) -> Result<u32, Error> {
    let more = patience.subsec_micros();
    Ok(std::future::ready(id.saturating_add(more)).await)
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, nonblocking))]
fn nonblocking(id: u32) -> Result<u32, Error> {
    Ok(id)
}

/// What is returned where the lock was not taken.
fn nothing(_: Error) -> u32 {
    0
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, nonblocking, or_else = nothing))]
async fn or_else(id: u32) -> u32 {
    std::future::ready(id).await
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, nonblocking, or_else = drop))]
fn or_else_of_nothing(id: &mut u32) {
    *id = id.saturating_add(1);
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, or_else = nothing))]
fn or_else_of_a_sure_lock(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, when = id > 5))]
fn when(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, when = id > 5, nonblocking))]
async fn when_async(id: u32) -> Result<u32, Error> {
    Ok(std::future::ready(id).await)
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, guard = _guard))]
fn guard(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, reentrant))]
fn reentrant(id: u32) -> u32 {
    if id == 0 {
        0
    } else {
        reentrant(id.saturating_sub(1))
    }
}

#[cfg_attr(feature = "lockutils", synchronized(key = id))]
fn block(id: u32) -> impl Future<Output = u32> {
    println!("{id}");
    async move { std::future::ready(id).await }
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, locks = SPACE, when = id > 5, acquire_timeout = patience, or_else = |_| id))]
fn block_behind_statements(id: u32, patience: Duration) -> impl Future<Output = u32> {
    println!("{id} {patience:?}");
    async move { std::future::ready(id).await }
}

#[cfg_attr(feature = "lockutils", synchronized(key = id, nonblocking))]
fn pinned(id: u32) -> Pin<Box<dyn Future<Output = Result<u32, Error>> + Send>> {
    Box::pin(async move { Ok(std::future::ready(id).await) })
}

/// No stream, whatever its name.
struct Stream<'a>(&'a u32);

#[cfg_attr(feature = "lockutils", synchronized(key = stream.0))]
fn named_as_a_stream(stream: Stream<'_>) -> Stream<'_> {
    stream
}

#[cfg_attr(feature = "lockutils", synchronized(key = id))]
async fn named_as_a_stream_async(id: &u32) -> Option<Stream<'_>> {
    std::future::ready(Some(Stream(id))).await
}

#[cfg_attr(feature = "lockutils", synchronized("unit"))]
fn unit() {}

#[cfg_attr(feature = "lockutils", synchronized("unit", locks = &SPACE))]
async fn unit_async() {}

#[cfg_attr(feature = "lockutils", synchronized("never"))]
fn never() -> ! {
    std::process::abort()
}

#[cfg_attr(feature = "lockutils", synchronized("iterator"))]
fn iterator(end: u32) -> impl Iterator<Item = u32> {
    (0..end).map(|item| item.saturating_add(1))
}

/// A type with methods.
#[derive(Debug)]
struct Vm {
    /// A key.
    pub id: u32,
    /// Keys.
    pub disks: Vec<String>,
}

impl Vm {
    #[cfg_attr(feature = "lockutils", synchronized(key = self.id))]
    fn disk(&mut self, at: usize) -> Option<&mut String> {
        self.disks.get_mut(at)
    }

    #[cfg_attr(feature = "lockutils", synchronized(key = self.id))]
    async fn names<'a>(&'a self, other: &'a str) -> &'a str {
        std::future::ready(()).await;
        self.disks.first().map_or(other, |disk| disk)
    }

    #[cfg_attr(feature = "lockutils", synchronized(keys = &self.disks, acquire_timeout = "1s"))]
    fn into_disks(self) -> Result<Vec<String>, Error> {
        Ok(self.disks)
    }
}

/// A trait with an async method behind `dyn`.
#[async_trait::async_trait]
trait Start {
    /// Starts.
    async fn start(&self, id: u32) -> Result<u32, Error>;
}

#[async_trait::async_trait]
impl Start for Vm {
    #[cfg_attr(feature = "lockutils", synchronized(key = self.id, nonblocking))]
    async fn start(&self, id: u32) -> Result<u32, Error> {
        Ok(std::future::ready(id).await)
    }
}
