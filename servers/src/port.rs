//! Ports of 127.0.0.1: free ones, and what a server says at one.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// Those below 32768 aren't given to outgoing connections.
const FIRST: u16 = 20_000;
const MANY: u16 = 12_000;

/// A port that nobody listens at just now, and that this process didn't give before.
pub(crate) fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes that run at the same time begin at different places.
    let begin = process::id().wrapping_mul(131) % u32::from(MANY);
    let begin = u16::try_from(begin).expect("less than MANY");
    for _ in 0..MANY {
        let port = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed) % MANY) % MANY;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free from {FIRST} on");
}

/// Asks a server, and gives at most so many bytes of what it says before it closes.
pub(crate) fn exchange(port: u16, request: &[u8], most: u64) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    let patience = Some(Duration::from_secs(5));
    stream.set_read_timeout(patience).expect("it isn't zero");
    stream.write_all(request).ok()?;
    let mut answer = Vec::new();
    stream.take(most).read_to_end(&mut answer).ok()?;
    Some(answer)
}
