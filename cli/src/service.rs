//! Processes that serve their locks, see `lockutils::inspect`: finding them, and asking.

use crate::exit::{self, NoService};
use crate::socket::{self, Socket};
use crate::time::roughly;
use crate::{holder, process};
use anyhow::{Context as _, Result, anyhow, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

/// How long a line is at most, in bytes, of which services have half; nobody is to fill our memory.
const LINE: u64 = 2 * 1024 * 1024;

/// How long a process has for an answer. It has none if it is stopped.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A process that serves, and answers.
pub(crate) struct Service {
    lines: BufReader<UnixStream>,
    /// That of its socket.
    pub(crate) path: PathBuf,
    /// The process that is to listen there, if its socket isn't named by the user, who knows whose it is.
    pub(crate) process: Option<u32>,
    pub(crate) hello: Hello,
}

/// What a service says first.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Hello {
    pub(crate) pid: u32,
    pub(crate) name: String,
    /// When the process was started, as RFC 3339 has it.
    pub(crate) start: String,
}

impl Hello {
    /// How long the process has run.
    pub(crate) fn uptime(&self) -> Option<String> {
        let start = humantime::parse_rfc3339(&self.start).ok()?;
        Some(roughly(start.elapsed().ok()?))
    }
}

/// As all output names it.
impl fmt::Display for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", holder::shown(&self.name), self.pid)
    }
}

fn none(text: impl Into<String>) -> anyhow::Error {
    NoService(text.into()).into()
}

/// How a program comes to serve.
const REMEDY: &str = "a program serves if it calls `lockutils::inspect::serve()`, or `from_env()` and \
                      is started with LOCKUTILS_INSPECT=1 (feature `inspect` of the crate)";

/// Who may attach.
const ALLOWED: &str = "only its user and root may attach, and a group if it serves one";

impl Service {
    /// The one that was named, by its process's id, its name, or the path of its socket; or else
    /// the only one that there is.
    pub(crate) fn find(named: Option<&OsStr>) -> Result<Self> {
        let Some(named) = named else {
            return Self::only(all(), "process", REMEDY);
        };
        if named.as_encoded_bytes().contains(&b'/') {
            return Self::attach(Path::new(named), None);
        }
        let name = named.to_string_lossy();
        if let Ok(pid) = name.parse() {
            return Self::of_process(pid);
        }
        let mut services = all();
        services.retain(|service| match service {
            Ok(service) => service.hello.name == name,
            Err(_) => false,
        });
        Self::only(services, &format!("process called {named:?}"), REMEDY)
    }

    fn of_process(pid: u32) -> Result<Self> {
        let mut sockets = socket::everywhere();
        if let Some(inside) = process::id_inside(pid) {
            let named = sockets.iter().filter(|socket| socket.pid == inside);
            let mut named = named.map(|socket| Self::attach(&socket.path, Some(pid)));
            if let Some(Ok(service)) = named.find(Result::is_ok) {
                return Ok(service);
            }
        }
        sockets.retain(|socket| socket.pid == pid);
        if let Some(socket) = sockets.iter().find(|socket| socket.is_its_own()) {
            return Self::attach(&socket.path, Some(pid));
        }
        if let Some(Socket { path, .. }) = sockets.iter().find(|socket| socket.is_closed()) {
            return Err(not_there(path, &ErrorKind::PermissionDenied.into()));
        }
        if !process::runs(pid) {
            return Err(none(format!("there is no process {pid}")));
        }
        let command = holder::command_of(pid).map(holder::cut);
        let command = command.map_or_else(String::new, |command| format!(" ({command})"));
        let text = format!(
            "process {pid}{command} doesn't serve its locks: {REMEDY}; if its socket is elsewhere, give \
             the path of that"
        );
        Err(none(text))
    }

    /// The one of a process that has a lock. An error is the end of a sentence about that process.
    pub(crate) fn of_holder(pid: u32) -> Result<Self> {
        let sockets = socket::everywhere().into_iter();
        let sockets = sockets.filter(|socket| socket.pid == pid && socket.is_its_own());
        let mut error = anyhow!(if process::runs(pid) {
            "it doesn't serve its locks"
        } else {
            "it has ended"
        });
        for Socket { path, .. } in sockets {
            match Self::attach(&path, Some(pid)) {
                Ok(service) if service.hello.pid == pid => return Ok(service),
                Ok(_) => error = anyhow!("what serves for it says that it is another one"),
                Err(why) => error = why,
            }
        }
        Err(error)
    }

    /// The only one of some, of `what` they are.
    fn only(mut services: Vec<Result<Self>>, what: &str, remedy: &str) -> Result<Self> {
        if services.len() > 1 {
            // Those that don't answer are left out, if there are others.
            services.retain(Result::is_ok);
        }
        if services.len() > 1 {
            let names = services.iter().flatten().map(|service| {
                let Hello { pid, name, .. } = &service.hello;
                format!("\n  {pid}  {}", holder::shown(name))
            });
            let text = "several processes serve their locks; name one by its id:";
            return Err(exit::usage(&(text.to_owned() + &names.collect::<String>())));
        }
        let missing = || none(format!("no {what} serves its locks: {remedy}"));
        services.pop().unwrap_or_else(|| Err(missing()))
    }

    /// Attaches by a socket, at which this process is to listen, if one is known.
    pub(crate) fn attach(path: &Path, process: Option<u32>) -> Result<Self> {
        let stream = UnixStream::connect(path).map_err(|error| not_there(path, &error))?;
        Self::greet(stream, path, process)
    }

    fn greet(stream: UnixStream, path: &Path, process: Option<u32>) -> Result<Self> {
        // Whose socket it is was looked at by its path, which may lead to another one by now.
        if let Some(stranger) = process.and_then(|process| socket::stranger(&stream, process)) {
            return Err(none(format!(
                "{stranger} listens at {path:?}: it isn't asked"
            )));
        }
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(stream);
        let hello = match hear(&mut lines) {
            Ok(Some(hello)) => hello,
            Ok(None) => {
                return Err(none(format!(
                    "the service at {path:?} has hung up: {ALLOWED}"
                )));
            }
            Err(error) => {
                let pid = Socket::at(path).map(|socket| socket.pid);
                return Err(not_heard(&format!("the service at {path:?}"), pid, &error));
            }
        };
        let hello = told(hello)?;
        let hello: Result<Hello, _> = serde_json::from_value(hello);
        let mut hello =
            hello.map_err(|_| none(format!("what serves at {path:?} isn't lockutils")))?;
        // It knows the id that it has in its container.
        if let Some(pid) = process.filter(|pid| process::id_inside(*pid) == Some(hello.pid)) {
            hello.pid = pid;
        }
        let path = path.to_owned();
        Ok(Self {
            lines,
            path,
            process,
            hello,
        })
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<Value> {
        self.say(request)?;
        self.hear()
    }

    /// The same, of an answer of some kind.
    pub(crate) fn ask_for<T: DeserializeOwned>(&mut self, request: &Value) -> Result<T> {
        let answer = self.ask(request)?;
        serde_json::from_value(answer).with_context(|| format!("{} speaks unclearly", self.hello))
    }

    /// Asks for something that takes so long at most, and gives the first line of the answer.
    pub(crate) fn ask_within(&mut self, request: &Value, patience: Duration) -> Result<Value> {
        self.be_patient(patience)?;
        let answer = self.ask(request);
        self.be_patient(PATIENCE)?;
        answer
    }

    /// Waits for so long at most for each line, from now on.
    pub(crate) fn be_patient(&self, patience: Duration) -> io::Result<()> {
        self.lines.get_ref().set_read_timeout(Some(patience))
    }

    /// The next line of an answer.
    pub(crate) fn hear(&mut self) -> Result<Value> {
        match hear(&mut self.lines) {
            Ok(Some(answer)) => told(answer),
            Ok(None) => Err(none(format!("{} has ended", self.hello))),
            Err(error) => Err(self.not_heard(&error)),
        }
    }

    pub(crate) fn say(&mut self, request: &Value) -> Result<()> {
        let said = writeln!(self.lines.get_mut(), "{request}");
        said.map_err(|error| self.not_heard(&error))
    }

    fn not_heard(&self, error: &io::Error) -> anyhow::Error {
        not_heard(&self.hello.to_string(), Some(self.hello.pid), error)
    }

    /// The stream, for who reads whenever something comes.
    pub(crate) fn into_lines(self) -> io::Result<BufReader<UnixStream>> {
        self.lines.get_ref().set_read_timeout(None)?;
        Ok(self.lines)
    }
}

/// The next line; `None` if the other end has hung up.
pub(crate) fn hear(lines: &mut BufReader<UnixStream>) -> io::Result<Option<Value>> {
    let mut line = String::new();
    match lines.take(LINE).read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(serde_json::from_str(&line)?)),
        // Who isn't let in may be hung up on while still speaking.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is no error that the service tells of.
pub(crate) fn told(answer: Value) -> Result<Value> {
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => bail!(NoService(format!(
            "the service says: {}",
            holder::shown(error)
        ))),
        None => Ok(answer),
    }
}

fn not_there(path: &Path, error: &io::Error) -> anyhow::Error {
    let because = match error.kind() {
        ErrorKind::NotFound => "there is no socket".to_owned(),
        ErrorKind::ConnectionRefused => "its process has ended".to_owned(),
        ErrorKind::PermissionDenied => format!("it is another user's; {ALLOWED}"),
        _ => error.to_string(),
    };
    none(format!("nobody serves at {path:?}: {because}"))
}

fn not_heard(who: &str, pid: Option<u32>, error: &io::Error) -> anyhow::Error {
    none(match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            let which = pid.map_or("-A".to_owned(), |pid| format!("-p {pid}"));
            format!("{who} doesn't answer: it may be stopped, see `ps -o pid,stat,wchan {which}`")
        }
        ErrorKind::BrokenPipe => format!("{who} has ended"),
        _ => format!("{who} doesn't answer: {error}"),
    })
}

/// All services that this user may attach to, by the ids of their processes. What is left of processes
/// that were killed is removed.
pub(crate) fn all() -> Vec<Result<Service>> {
    let mut services = Vec::new();
    // Nobody is to have us take another's program for one of ours.
    for socket in socket::usual().into_iter().filter(Socket::is_for_us) {
        let path = &socket.path;
        match UnixStream::connect(path) {
            Ok(stream) => {
                let process = socket.process(&stream);
                services.extend(process.map(|pid| Service::greet(stream, path, Some(pid))));
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && socket.is_its_own() => {
                let _ = fs::remove_file(path);
            }
            // Another user's, or gone since.
            Err(_) => {}
        }
    }
    services
}
