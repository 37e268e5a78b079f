//! The server, and its thread.

use super::answer::Context;
use super::client::Client;
use super::place::{self, Name};
use super::sys::{self, Ready};
use super::{group, peer, request, start};
use crate::json::Json;
use crate::name::Keys;
use crate::process;
use crate::timeline::record;
use crate::worker;
use std::io::{self, ErrorKind};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{env, mem};

/// The variable by which the operator forbids it, or wants it.
const VARIABLE: &str = "LOCKUTILS_INSPECT";

/// How many may be attached.
const CLIENTS: usize = 4;

/// How long it is from one look to the next.
const LOOKS: Duration = Duration::from_millis(100);

/// How long nobody is let in when the process has no more descriptors.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves until the server is dropped, at the [usual place](crate::inspect#who-may-attach), with keys as they are.
///
/// Keep the server: `let _ = serve()` ends it at once.
///
/// # Errors
///
/// If `LOCKUTILS_INSPECT=0` forbids it ([`PermissionDenied`](ErrorKind::PermissionDenied)), if somebody else
/// could get at the directory, which the text says, if this process serves there already
/// ([`AddrInUse`](ErrorKind::AddrInUse)), and those of the system. A service should log it, and go on.
///
/// # Examples
///
/// ```no_run
/// let _server = lockutils::inspect::serve().inspect_err(|error| eprintln!("{error}")).ok();
/// ```
pub fn serve() -> io::Result<Server> {
    Builder::new().serve()
}

/// Serves if the environment variable `LOCKUTILS_INSPECT` says so, for programs that leave it to who runs
/// them: `1` serves at the usual place, an absolute path there; `0`, nothing, or no such variable
/// doesn't.
///
/// # Errors
///
/// Those of [`serve`](fn@serve), and of any other value ([`InvalidInput`](ErrorKind::InvalidInput)).
///
/// # Examples
///
/// ```no_run
/// let _server = lockutils::inspect::from_env();
/// ```
pub fn from_env() -> io::Result<Option<Server>> {
    match env::var_os(VARIABLE) {
        Some(value) if value == "1" => serve().map(Some),
        Some(value) if Path::new(&value).is_absolute() => {
            Builder::new().path(value).serve().map(Some)
        }
        Some(value) if value != "0" && !value.is_empty() => Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!("`{VARIABLE}` is to be 0, 1 or an absolute path, and is {value:?}"),
        )),
        _ => Ok(None),
    }
}

/// How to serve.
///
/// # Examples
///
/// ```no_run
/// use lockutils::inspect::{Builder, Keys};
///
/// let server = Builder::new().path("/run/nova/locks.sock").keys(Keys::Hashed).serve()?;
/// println!("lockutils why {}", server.path().display());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it serves by `serve`"]
pub struct Builder {
    path: Option<PathBuf>,
    keys: Keys,
    group: Option<String>,
}

impl Builder {
    /// At the usual place, with keys as they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the socket be at this path, which is absolute and of less than about a hundred bytes. Its
    /// directory has to belong to the user, and nobody else may be able to write to it; where it is missing,
    /// it is made. A socket that nobody listens to any more is replaced.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Says what is shown of keys. Without it that is the keys. The names of spaces and tasks, and the
    /// commands of other processes, are shown as they are in any case.
    pub fn keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// Lets in the members of a group too, which the system knows by this name or number: those of whom it
    /// is the group, and on Linux those as well of whom it is one among others. The group is looked up when
    /// it serves.
    ///
    /// The socket is theirs to open (`0660`), and it is where they can get at it: without a
    /// [`path`](Self::path) in `/tmp/lockutils-UID-GID`, of root in `/run/lockutils-0-GID`, where the
    /// command `lockutils` finds it for them. The directory of a path is given to the group if it is made; one
    /// that is there is left as it is, and its mode has to let the group's members enter it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use lockutils::inspect::Builder;
    ///
    /// let _server = Builder::new().group("ops").serve()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Serves until the server is dropped.
    ///
    /// # Errors
    ///
    /// As [`serve`](fn@serve). If there is no such group ([`NotFound`](ErrorKind::NotFound)), and if this process
    /// may not give it a file, since it isn't in it, or the group can't enter the directory of the
    /// [`path`](Self::path) ([`PermissionDenied`](ErrorKind::PermissionDenied)). If the number of the group is
    /// 2³² - 1, which means none ([`InvalidInput`](ErrorKind::InvalidInput)).
    pub fn serve(&self) -> io::Result<Server> {
        if env::var_os(VARIABLE).is_some_and(|value| value == "0") {
            let text = format!("`{VARIABLE}=0` forbids to serve");
            return Err(io::Error::new(ErrorKind::PermissionDenied, text));
        }
        let group = self.group.as_deref().map(group::find).transpose();
        let group = group.map_err(|error| {
            io::Error::new(error.kind(), format!("can't serve a group: {error}"))
        })?;
        let (listener, name) = match (&self.path, group) {
            (Some(path), _) => place::listen(path, group)?,
            (None, Some(group)) => place::listen_in_shared(group)?,
            (None, None) => place::listen_in_own()?,
        };
        let (stop, is_stopped) = UnixStream::pair()?;
        let service = Service {
            listener,
            group,
            is_stopped,
            clients: Vec::new(),
            hello: hello(),
            context: Context {
                keys: self.keys,
                since: Instant::now(),
            },
            look: Instant::now(),
            pause: None,
        };
        let run = Box::new(move || service.run());
        let thread = Some(worker::start("lockutils-inspect", None, run)?);
        record::keep_last();
        Ok(Server { name, stop, thread })
    }
}

/// That this process serves; until this is dropped, which removes the socket and ends the thread.
#[derive(Debug)]
#[must_use = "it serves until it is dropped"]
pub struct Server {
    name: Name,
    /// Whose end says that it is over.
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Where the socket is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.name.path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let thread = self.thread.take();
        if !self.name.is_own() {
            // The child of a fork hasn't this thread.
            mem::forget(thread);
            return;
        }
        let _ = self.stop.shutdown(std::net::Shutdown::Both);
        // Its panics are printed, and there is nothing that it could have left undone.
        let _ = thread.map(JoinHandle::join);
    }
}

/// The first line that a client is told.
fn hello() -> String {
    let (_, started) = start::of_process();
    let mut json = Json::default();
    json.object(|json| {
        json.field("lockutils").number(1_u32);
        json.field("version").text(env!("CARGO_PKG_VERSION"));
        json.field("pid").number(std::process::id() as usize);
        json.field("name").text(process::name());
        json.field("start").text(start::rfc3339(started));
    });
    json.into_text()
}

/// What the thread has.
struct Service {
    listener: UnixListener,
    /// Whose members are let in, beside this user and root.
    group: Option<u32>,
    is_stopped: UnixStream,
    /// Those who were answered least lately come first.
    clients: Vec<Client>,
    hello: String,
    context: Context,
    /// When the next look may be.
    look: Instant,
    /// Until when nobody is let in.
    pause: Option<Instant>,
}

impl Service {
    fn run(mut self) {
        loop {
            self.answer();
            let now = Instant::now();
            self.clients.retain(|client| !client.is_done(now));
            self.pause = self.pause.filter(|until| *until > now);
            let due = self
                .clients
                .iter()
                .filter_map(|client| client.due(self.look));
            let due = due.chain(self.pause).min();
            let mut ready = vec![
                Ready::new(&self.is_stopped, true, false),
                Ready::new(&self.listener, self.pause.is_none(), false),
            ];
            ready.extend(self.clients.iter().map(Client::ready));
            sys::wait(
                &mut ready,
                due.map(|due| due.saturating_duration_since(now)),
            );
            if ready[0].is_ready() {
                return;
            }
            let mut of_clients = ready[2..].iter();
            self.clients.retain_mut(|client| {
                let ready = of_clients.next();
                ready.is_none_or(|ready| client.go_on(ready, self.context))
            });
            if ready[1].is_ready() {
                self.let_in();
            }
        }
    }

    /// Has the one look that there may be now, for the client whose turn it is.
    fn answer(&mut self) {
        let now = Instant::now();
        if now < self.look {
            return;
        }
        let context = self.context;
        let mut clients = self.clients.iter_mut();
        if let Some(served) = clients.position(|client| client.answer(now, context)) {
            self.look = Instant::now() + LOOKS;
            self.clients[served..].rotate_left(1);
        }
    }

    fn let_in(&mut self) {
        // Then those who are there already have their turn.
        for _ in 0..2 * CLIENTS {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => {
                    let is_for_one = [ErrorKind::ConnectionAborted, ErrorKind::Interrupted];
                    if is_for_one.contains(&error.kind()) {
                        continue;
                    }
                    if error.kind() != ErrorKind::WouldBlock {
                        self.pause = Some(Instant::now() + PAUSE);
                    }
                    return;
                }
            };
            if !peer::may_attach(&stream, self.group) {
                continue; // It is told nothing.
            }
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            if self.clients.len() < CLIENTS {
                self.clients.push(Client::new(stream, &self.hello));
            } else {
                let busy = request::error("busy: four are looking already");
                Client::refuse(stream, &busy, self.context);
            }
        }
    }
}
