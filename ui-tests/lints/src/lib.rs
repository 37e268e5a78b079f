//! Functions with every argument and of every shape, for every lint there is.
//!
//! With the feature `locked` they have the attribute. A test compares what the compiler and
//! clippy say of them with and without: the attribute must add nothing. What they say of the
//! functions themselves is the same in both, and nobody's concern.

use std::convert::identity;
use std::pin::Pin;
use std::time::Duration;

#[cfg(feature = "locked")]
use lockutils::synchronized;
use lockutils::{Error, Locks};

/// A space.
pub static SPACE: Locks = Locks::new("space");

#[cfg_attr(feature = "locked", synchronized)]
pub fn own(id: u32) -> u32 {
    id
}

#[rustfmt::skip]
#[cfg_attr(feature = "locked", synchronized("text"))]
pub fn one_line(id: u32) -> u32 { id }

/// As `clippy::implicit_return` wants it.
#[cfg_attr(feature = "locked", synchronized("text"))]
#[expect(clippy::needless_return, reason = "the one lint or the other")]
pub fn explicit_return(id: u32) -> u32 {
    return id;
}

#[cfg_attr(feature = "locked", synchronized("vm-{id}"))]
pub fn captures(id: u32) -> u32 {
    identity(id)
}

#[cfg_attr(feature = "locked", synchronized(key = (id, name), locks = SPACE))]
pub fn key(id: u32, name: &str) -> Option<usize> {
    let rest = name.len().checked_sub(usize::try_from(id).ok()?)?;
    if rest > 5 {
        return None;
    }
    Some(rest)
}

#[cfg_attr(feature = "locked", synchronized(key = id))]
pub async fn key_async(id: u32) -> u32 {
    std::future::ready(id).await
}

#[cfg_attr(feature = "locked", synchronized(key = id, locks = SPACE))]
pub async fn space_async(id: u32) -> u32 {
    std::future::ready(id).await
}

#[cfg_attr(feature = "locked", synchronized(keys = [id, 7]))]
pub fn keys(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "locked", synchronized(keys = ids))]
pub async fn keys_async(ids: &[u32]) -> usize {
    std::future::ready(ids.len()).await
}

#[cfg_attr(feature = "locked", synchronized(keys = ids.iter()))]
pub fn keys_of_an_iterator(ids: &[u32]) -> usize {
    ids.len()
}

#[cfg_attr(feature = "locked", synchronized(key = id, shared))]
pub fn shared(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "locked", synchronized(key = id, acquire_timeout = "5s"))]
pub fn timeout(id: u32) -> Result<u32, Error> {
    if id > 5 { Ok(id) } else { Ok(5) }
}

#[cfg_attr(feature = "locked", synchronized(key = id, acquire_timeout = patience))]
pub async fn timeout_async(id: u32, patience: Duration) -> Result<u32, Error> {
    drop(patience);
    Ok(std::future::ready(id).await)
}

#[cfg_attr(feature = "locked", synchronized(key = id, nonblocking))]
pub fn nonblocking(id: u32) -> Result<u32, Error> {
    Ok(id)
}

/// What is returned where the lock was not taken.
pub fn nothing(_: Error) -> u32 {
    0
}

#[cfg_attr(feature = "locked", synchronized(key = id, nonblocking, or_else = nothing))]
pub async fn or_else(id: u32) -> u32 {
    std::future::ready(id).await
}

#[cfg_attr(feature = "locked", synchronized(key = id, nonblocking, or_else = drop))]
pub fn or_else_of_nothing(id: u32) {
    drop(id);
}

#[cfg_attr(feature = "locked", synchronized(key = id, or_else = nothing))]
pub fn or_else_of_a_sure_lock(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "locked", synchronized(key = id, when = id > 5))]
pub fn when(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "locked", synchronized(key = id, when = id > 5, nonblocking))]
pub async fn when_async(id: u32) -> Result<u32, Error> {
    Ok(std::future::ready(id).await)
}

#[cfg_attr(feature = "locked", synchronized(key = id, guard = _guard))]
pub fn guard(id: u32) -> u32 {
    id
}

#[cfg_attr(feature = "locked", synchronized(key = id, reentrant))]
pub fn reentrant(id: u32) -> u32 {
    if id == 0 {
        0
    } else {
        reentrant(id.saturating_sub(1))
    }
}

#[cfg_attr(feature = "locked", synchronized(key = id))]
pub fn block(id: u32) -> impl Future<Output = u32> {
    async move { std::future::ready(id).await }
}

#[cfg_attr(feature = "locked", synchronized(key = id, nonblocking))]
pub fn pinned(id: u32) -> Pin<Box<dyn Future<Output = Result<u32, Error>> + Send>> {
    Box::pin(async move { Ok(std::future::ready(id).await) })
}

#[cfg_attr(feature = "locked", synchronized("unit"))]
pub fn unit() {}

#[cfg_attr(feature = "locked", synchronized("unit", locks = &SPACE))]
pub async fn unit_async() {}

#[cfg_attr(feature = "locked", synchronized("never"))]
pub fn never() -> ! {
    std::process::abort()
}

#[cfg_attr(feature = "locked", synchronized("iterator"))]
pub fn iterator(end: u32) -> impl Iterator<Item = u32> {
    (0..end).map(|item| item.saturating_add(1))
}

/// A type with methods.
#[derive(Debug)]
pub struct Vm {
    /// A key.
    pub id: u32,
    /// Keys.
    pub disks: Vec<String>,
}

impl Vm {
    #[cfg_attr(feature = "locked", synchronized(key = self.id))]
    pub fn disk(&mut self, at: usize) -> Option<&mut String> {
        self.disks.get_mut(at)
    }

    #[cfg_attr(feature = "locked", synchronized(key = self.id))]
    pub async fn names<'a>(&'a self, other: &'a str) -> &'a str {
        std::future::ready(()).await;
        self.disks.first().map_or(other, |disk| disk)
    }

    #[cfg_attr(feature = "locked", synchronized(keys = &self.disks, acquire_timeout = "1s"))]
    pub fn into_disks(self) -> Result<Vec<String>, Error> {
        Ok(self.disks)
    }
}

/// A trait with an async method behind `dyn`.
#[async_trait::async_trait]
pub trait Start {
    /// Starts.
    async fn start(&self, id: u32) -> Result<u32, Error>;
}

#[async_trait::async_trait]
impl Start for Vm {
    #[cfg_attr(feature = "locked", synchronized(key = self.id, nonblocking))]
    async fn start(&self, id: u32) -> Result<u32, Error> {
        Ok(std::future::ready(id).await)
    }
}
