//! Ports of 127.0.0.1: free ones, and what a server says at one.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, process};

use rustix::fs::{FlockOperation, flock};
use rustix::net::{Shutdown, shutdown};
use rustix::process::getuid;

/// Those below 32768 aren't given to outgoing connections.
const FIRST: u16 = 20_000;
const MANY: u16 = 12_000;

/// A port of 127.0.0.1 that nobody listens at just now, and that neither this process nor another one that
/// runs has been given: so it is still free after a server, or a proxy, has been away.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static CLAIMS: Mutex<Vec<File>> = Mutex::new(Vec::new());
    // Processes that run at the same time begin at different places.
    let begin = process::id().wrapping_mul(131) % u32::from(MANY);
    let begin = u16::try_from(begin).expect("less than MANY");
    for _ in 0..MANY {
        let port = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed) % MANY) % MANY;
        let Some(claim) = claim(port) else { continue };
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            close(&listener);
            let mut claims = CLAIMS.lock().unwrap_or_else(PoisonError::into_inner);
            claims.push(claim);
            return port;
        }
    }
    panic!("no port is free from {FIRST} on");
}

/// Ends listening at a port. A process that is being started has the listener as well until it runs its program,
/// and a child of a `fork` as long as it lives: dropped here alone, it would keep the port.
pub(crate) fn close(listener: &TcpListener) {
    let _ = shutdown(listener, Shutdown::Both);
}

/// Keeps other processes of this user's tests from a port, until the file is closed.
fn claim(port: u16) -> Option<File> {
    let user = getuid().as_raw();
    let directory = env::temp_dir().join(format!("lockutils-test-ports-{user}"));
    fs::create_dir_all(&directory).expect("a directory for the ports that are in use");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false);
    let file = file.open(directory.join(port.to_string()));
    let file = file.expect("a file for a port that is in use");
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(file)
}

/// How long a server may be silent to one who asks again.
pub(crate) const BRIEF: Duration = Duration::from_secs(5);

/// Asks a server, and gives at most so many bytes of what it says before it closes. It may be silent for so long.
pub(crate) fn exchange(
    port: u16,
    request: &[u8],
    most: u64,
    patience: Duration,
) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    let patience = Some(patience);
    stream.set_read_timeout(patience).expect("it isn't zero");
    stream.write_all(request).ok()?;
    let mut answer = Vec::new();
    stream.take(most).read_to_end(&mut answer).ok()?;
    Some(answer)
}
