//! A network that breaks.
//!
//! One thread accepts, and each connection has two more, one a direction, which read, wait for the mode
//! to let them pass, and write.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::port;

/// Passes on what is said to a port of 127.0.0.1, and what is answered, until it is told not to.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    port: u16,
    /// Where the next connections lead.
    to: AtomicU16,
    state: Mutex<State>,
    changed: Condvar,
    requests: AtomicUsize,
}

#[derive(Debug)]
struct State {
    /// No connections.
    cut: bool,
    requests: Passing,
    answers: Passing,
    /// How many directions of connections have something that doesn't pass now.
    held_back: usize,
    /// Both ends of each connection. What isn't here any more passes nothing.
    links: HashMap<usize, [TcpStream; 2]>,
    next_link: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passing {
    Flows,
    Waits,
    /// So many are swallowed, then all is cut.
    Swallows(usize),
}

#[derive(Clone, Copy, Debug)]
enum Verdict {
    Pass,
    Swallow,
    Close,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Requests,
    Answers,
}

impl Proxy {
    /// Starts one before a port.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let shared = Arc::new(Shared {
            port: port::free(),
            to: AtomicU16::new(port),
            state: Mutex::new(State {
                cut: true,
                requests: Passing::Flows,
                answers: Passing::Flows,
                held_back: 0,
                links: HashMap::new(),
                next_link: 0,
            }),
            changed: Condvar::new(),
            requests: AtomicUsize::new(0),
        });
        let proxy = Self {
            shared,
            accepting: Mutex::new(None),
        };
        proxy.mend();
        proxy
    }

    /// Where it listens, at 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// Leads to another port from the next connection on, as a name does that is given to another host.
    pub fn lead_to(&self, port: u16) {
        self.shared.to.store(port, Ordering::SeqCst);
    }

    /// How many times anything was passed to the server: of requests that follow answers, their number.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().links.len()
    }

    /// Whether something is held back that was sent while it is stalled.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.shared.state().held_back > 0
    }

    /// Whether it has cut all connections, and was not mended since.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.shared.state().cut
    }

    /// Closes all connections, and refuses new ones.
    ///
    /// # Panics
    ///
    /// If a thread of the proxy has.
    pub fn cut(&self) {
        self.shared.cut();
        if let Some(accepting) = self.accepting().take() {
            accepting.join().expect("it doesn't panic");
        }
    }

    /// Lets everything pass, and connect, again.
    ///
    /// # Panics
    ///
    /// If somebody else has got the port.
    pub fn mend(&self) {
        self.flow();
        let mut accepting = self.accepting();
        if self.shared.state().cut {
            if let Some(ending) = accepting.take() {
                ending.join().expect("it doesn't panic");
            }
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port()))
                .expect("the port is still free");
            self.shared.state().cut = false;
            let shared = Arc::clone(&self.shared);
            *accepting = Some(thread::spawn(move || shared.accept(&listener)));
        }
    }

    /// Accepts connections, but passes nothing, in either direction.
    pub fn stall(&self) {
        self.shared.pass(Passing::Waits, Passing::Waits);
    }

    /// Passes requests, but holds the answers back.
    pub fn stall_answers(&self) {
        self.shared.pass(Passing::Flows, Passing::Waits);
    }

    /// Passes everything again, first what was held back.
    pub fn flow(&self) {
        self.shared.pass(Passing::Flows, Passing::Flows);
    }

    /// Passes requests, and swallows the next `n` answers, at least one; with the last of them it
    /// cuts, until it is mended.
    pub fn drop_answers(&self, n: usize) {
        self.shared
            .pass(Passing::Flows, Passing::Swallows(n.max(1)));
    }

    fn accepting(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.accepting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, requests: Passing, answers: Passing) {
        let mut state = self.state();
        state.requests = requests;
        state.answers = answers;
        self.changed.notify_all();
    }

    fn cut(&self) {
        let mut state = self.state();
        for end in state.links.drain().flat_map(|(_, ends)| ends) {
            let _ = end.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
        if !state.cut {
            state.cut = true;
            drop(state);
            // The listener's thread looks at what it accepts only.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        }
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let to = self.to.load(Ordering::SeqCst);
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, to));
            let mut state = self.state();
            if state.cut {
                port::close(listener);
                return;
            }
            // Without a server the client's connection is closed as well.
            let (Ok(client), Ok(server)) = (client, server) else {
                continue;
            };
            let link = state.next_link;
            state.next_link += 1;
            state.links.insert(link, [copy(&client), copy(&server)]);
            for (from, to, direction) in [
                (copy(&client), copy(&server), Direction::Requests),
                (server, client, Direction::Answers),
            ] {
                from.set_nodelay(true).expect("a connection");
                let shared = Arc::clone(self);
                thread::spawn(move || shared.pump(link, from, to, direction));
            }
        }
    }

    /// Passes one direction of a connection, until one of its ends is closed.
    fn pump(&self, link: usize, mut from: TcpStream, mut to: TcpStream, direction: Direction) {
        let mut bytes = vec![0; 1 << 16];
        loop {
            let length = from.read(&mut bytes).unwrap_or(0);
            if length == 0 {
                break;
            }
            match self.judge(link, direction) {
                Verdict::Pass if to.write_all(&bytes[..length]).is_ok() => {}
                Verdict::Swallow => {}
                Verdict::Pass | Verdict::Close => break,
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
        self.state().links.remove(&link);
    }

    /// Waits until it is known what becomes of what was read.
    fn judge(&self, link: usize, direction: Direction) -> Verdict {
        let mut state = self.state();
        loop {
            let passing = match direction {
                Direction::Requests => state.requests,
                Direction::Answers => state.answers,
            };
            match passing {
                _ if !state.links.contains_key(&link) => return Verdict::Close,
                Passing::Flows => {
                    if matches!(direction, Direction::Requests) {
                        self.requests.fetch_add(1, Ordering::SeqCst);
                    }
                    return Verdict::Pass;
                }
                Passing::Waits => {
                    state.held_back += 1;
                    let changed = self.changed.wait(state);
                    state = changed.unwrap_or_else(PoisonError::into_inner);
                    state.held_back -= 1;
                }
                Passing::Swallows(1) => {
                    drop(state);
                    self.cut();
                    return Verdict::Close;
                }
                Passing::Swallows(n) => {
                    state.answers = Passing::Swallows(n - 1);
                    return Verdict::Swallow;
                }
            }
        }
    }
}

/// Another handle of the same connection.
fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("there are file descriptors")
}
