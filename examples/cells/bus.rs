//! The message bus: a TCP listener on loopback that counts its connections.
//!
//! A client says which cell it is for, 16 bytes of uuid, and the bus says it back. Then
//! the connection stays open until the client drops it. The count is the listener's, so
//! it also has what other processes opened and what no cache remembers.

use super::cell::CellMapping;
use anyhow::{Context, Result, ensure};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Runtime};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The running bus; dropping it closes all of its connections.
pub(crate) struct Bus {
    address: SocketAddr,
    opened: Arc<AtomicU32>,
    /// Ends only by failing.
    accepting: JoinHandle<io::Error>,
    /// A thread of its own, so that the bus answers while the clients' runtimes are busy.
    runtime: Runtime,
}

impl Bus {
    /// Listens on a port that the system chooses.
    pub(crate) fn start() -> Result<Self> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bus")
            .enable_io()
            .build()
            .context("cannot start the message bus")?;
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .context("cannot listen on a loopback port")?;
        let address = listener
            .local_addr()
            .context("cannot tell which port the message bus listens on")?;
        let opened = Arc::new(AtomicU32::new(0));
        let accepting = runtime.spawn(accept(listener, Arc::clone(&opened)));
        Ok(Self {
            address,
            opened,
            accepting,
            runtime,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were opened since the last call.
    ///
    /// Fails if the bus can't accept connections any more.
    pub(crate) fn take_opened(&mut self) -> Result<u32> {
        if self.accepting.is_finished() {
            let error = self
                .runtime
                .block_on(&mut self.accepting)
                .context("the message bus panicked")?;
            return Err(error).context("the message bus cannot accept a connection");
        }
        // A client that got its answer was counted before; joining it made that visible.
        Ok(self.opened.swap(0, Ordering::Relaxed))
    }
}

async fn accept(listener: TcpListener, opened: Arc<AtomicU32>) -> io::Error {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                opened.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(attend(stream));
            }
            Err(error) => return error,
        }
    }
}

/// Answers the greeting, then keeps the connection until the client closes it.
async fn attend(mut stream: TcpStream) {
    let mut greeting = [0; 16];
    // A client that breaks off reports that itself; here it is only gone.
    while stream.read_exact(&mut greeting).await.is_ok()
        && stream.write_all(&greeting).await.is_ok()
    {}
}

/// Connects to the bus of a cell, and makes sure that it is the one.
pub(crate) async fn connect(cell: &CellMapping) -> Result<TcpStream> {
    let greet = async {
        let mut stream = TcpStream::connect(cell.transport_url).await?;
        let mut answer = [0; 16];
        stream.write_all(cell.uuid.as_bytes()).await?;
        stream.read_exact(&mut answer).await?;
        check(answer, cell)?;
        anyhow::Ok(stream)
    };
    greet.await.with_context(|| cannot_connect(cell))
}

/// [`connect`], for threads.
pub(crate) fn connect_blocking(cell: &CellMapping) -> Result<std::net::TcpStream> {
    let greet = || {
        let mut stream = std::net::TcpStream::connect(cell.transport_url)?;
        let mut answer = [0; 16];
        stream.write_all(cell.uuid.as_bytes())?;
        stream.read_exact(&mut answer)?;
        check(answer, cell)?;
        anyhow::Ok(stream)
    };
    greet().with_context(|| cannot_connect(cell))
}

fn check(answer: [u8; 16], cell: &CellMapping) -> Result<()> {
    let answer = Uuid::from_bytes(answer);
    ensure!(answer == cell.uuid, "it answers for cell `{answer}`");
    Ok(())
}

fn cannot_connect(cell: &CellMapping) -> String {
    format!(
        "cannot connect cell `{}` to the message bus at {}",
        cell.uuid, cell.transport_url
    )
}
