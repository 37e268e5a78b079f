//! No more than four downloads from a host at once: `permits`.
//!
//! A lock space with several permits lets as many callers in for each key. The mirrors here
//! count their connections, and hand out a file only where there are four of them: so the
//! limit is kept, and made use of. While a download waits for its turn, its task gives way,
//! and the other mirror's downloads go on.
//!
//! ```text
//! cargo run --example downloads
//! ```

use lockutils::{Locks, synchronized};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

static DOWNLOADS: Locks = Locks::new("downloads").permits(4);

#[synchronized("{mirror}", locks = DOWNLOADS)]
async fn download(mirror: SocketAddr) -> io::Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut connection = TcpStream::connect(mirror).await?;
    connection.read_to_end(&mut file).await?;
    Ok(file)
}

/// Serves one file, and remembers how many connections it had at most.
struct Mirror {
    connections: AtomicU32,
    most: AtomicU32,
    four: Barrier,
}

impl Mirror {
    async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        loop {
            let (connection, _) = listener.accept().await?;
            tokio::spawn(Arc::clone(&self).answer(connection));
        }
    }

    async fn answer(self: Arc<Self>, mut connection: TcpStream) -> io::Result<()> {
        let connections = 1 + self.connections.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(connections, Ordering::Relaxed);
        self.four.wait().await;
        self.connections.fetch_sub(1, Ordering::Relaxed);
        connection.write_all(b"a file").await
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (mut mirrors, mut downloads) = (Vec::new(), JoinSet::new());
    for _ in 0..2 {
        let mirror = Arc::new(Mirror {
            connections: AtomicU32::new(0),
            most: AtomicU32::new(0),
            four: Barrier::new(4),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(Arc::clone(&mirror).serve(listener));
        mirrors.push(mirror);
        (0..20).for_each(|_| drop(downloads.spawn(download(address))));
    }
    for file in downloads.join_all().await {
        assert_eq!(file?, b"a file");
    }
    for mirror in mirrors {
        assert_eq!(mirror.most.load(Ordering::Relaxed), 4);
    }
    println!("20 downloads from each mirror, never more than 4 at once");
    Ok(())
}
