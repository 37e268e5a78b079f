//! Somebody who has attached: what was asked, and what is to be said.
//!
//! One thing after the other: while a reply is on its way, nothing more is read. So there is at most one
//! request and one reply of each client in memory.

use super::answer::{Ask, Context};
use super::later::Later;
use super::request::{self, Request};
use super::sys::{self, Ready};
use crate::foreign;
use crate::profile::Before;
use std::io::{ErrorKind, Read as _};
use std::mem;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long a request may be, in bytes.
const REQUEST: usize = 64 * 1024;

/// So much is read at a time.
const CHUNK: usize = 4 * 1024;

/// What is said of a look that was none.
const PANICKED: &str = "the look has panicked, see standard error of the process";

/// How long a client may read nothing of a reply.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Client {
    stream: UnixStream,
    /// What has been read and isn't answered.
    input: Vec<u8>,
    /// Whether there is no more to be read.
    is_at_end: bool,
    /// What is to be said, and how much of it has been.
    output: Vec<u8>,
    sent: usize,
    /// When something of it was sent, or it was made.
    moved: Instant,
    watch: Option<Watch>,
    /// What is said when it is due, or has been begun to be.
    later: Option<Later>,
    /// Whether it is hung up when all is said.
    is_over: bool,
}

/// What is said again and again.
struct Watch {
    ask: Ask,
    every: Duration,
    next: Instant,
}

impl Client {
    pub(super) fn new(stream: UnixStream, hello: &str) -> Self {
        let mut client = Self {
            stream,
            input: Vec::new(),
            is_at_end: false,
            output: Vec::new(),
            sent: 0,
            moved: Instant::now(),
            watch: None,
            later: None,
            is_over: false,
        };
        client.say(hello);
        client
    }

    /// Says one thing to somebody who isn't let in, and hangs up.
    pub(super) fn refuse(stream: UnixStream, text: &str, context: Context) {
        Self::new(stream, text).write(context);
    }

    /// What it is waited for.
    pub(super) fn ready(&self) -> Ready {
        Ready::new(&self.stream, self.reads(), self.writes())
    }

    fn reads(&self) -> bool {
        !self.is_at_end && !self.writes() && self.later.is_none() && !self.has_request()
    }

    fn writes(&self) -> bool {
        self.sent < self.output.len()
    }

    fn has_request(&self) -> bool {
        self.input.contains(&b'\n') || (self.is_at_end && !self.input.is_empty())
    }

    /// Whether there is nothing more to be done for it at this moment.
    pub(super) fn is_done(&self, now: Instant) -> bool {
        let is_stuck = self.writes() && now >= self.moved + PATIENCE;
        let is_silent =
            self.is_at_end && self.watch.is_none() && self.later.is_none() && !self.has_request();
        is_stuck || (!self.writes() && (self.is_over || is_silent))
    }

    /// When it is to be looked after, if nothing comes of it before. `look` is when there is to be a
    /// look at the earliest.
    pub(super) fn due(&self, look: Instant) -> Option<Instant> {
        if self.writes() {
            return Some(self.moved + PATIENCE);
        }
        if let Some(later) = &self.later {
            return later.due().map(|due| due.max(look));
        }
        if self.has_request() {
            return Some(look);
        }
        let watch = self.watch.as_ref()?;
        Some(watch.next.max(look))
    }

    /// Reads and writes what can be; tells whether it is still there.
    pub(super) fn go_on(&mut self, ready: &Ready, context: Context) -> bool {
        if ready.is_gone() {
            return false;
        }
        if self.writes() {
            return !ready.is_ready() || self.write(context);
        }
        !(ready.is_ready() && self.reads()) || self.read()
    }

    fn read(&mut self) -> bool {
        let mut chunk = [0; CHUNK];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.is_at_end = true,
            Ok(length) => self.input.extend(&chunk[..length]),
            Err(error) => return is_for_now(error.kind()),
        }
        if self.input.len() > REQUEST && !self.input[..REQUEST].contains(&b'\n') {
            self.input = Vec::new();
            self.say(&request::error("a request is longer than 64 KiB"));
            self.is_over = true;
        }
        true
    }

    fn write(&mut self, context: Context) -> bool {
        while self.writes() {
            match sys::send(&self.stream, &self.output[self.sent..]) {
                Ok(length) => {
                    self.sent += length;
                    self.moved = Instant::now();
                }
                Err(error) => return is_for_now(error.kind()),
            }
        }
        self.output = Vec::new();
        self.sent = 0;
        if self
            .later
            .as_ref()
            .is_some_and(|later| later.due().is_none())
        {
            self.say_later(context);
        }
        true
    }

    /// Says the next line of what was asked for before; tells whether there was one by now.
    fn say_later(&mut self, context: Context) -> bool {
        let Some(later) = self.later.take() else {
            return false;
        };
        let mut line = Some(request::error(PANICKED));
        foreign::contain(|| (line, self.later) = later.say(context));
        line.inspect(|line| self.say(line)).is_some()
    }

    /// Answers what is due, if something is; tells whether that was so.
    pub(super) fn answer(&mut self, now: Instant, context: Context) -> bool {
        if self.due(now).is_none_or(|due| due > now) || self.writes() {
            return false;
        }
        if self.later.is_some() {
            return self.say_later(context);
        }
        let ask = if self.has_request() {
            let end = self.input.iter().position(|byte| *byte == b'\n');
            let rest = self
                .input
                .split_off(end.map_or(self.input.len(), |end| end + 1));
            let line = mem::replace(&mut self.input, rest);
            let request = request::read(&line, context);
            request.and_then(|request| self.begin(request, now, context))
        } else if let Some(watch) = &mut self.watch {
            watch.next = now + watch.every;
            Ok(Some(watch.ask.clone()))
        } else {
            return false;
        };
        match ask {
            Ok(Some(ask)) => self.say_by(|| ask.answer()),
            Ok(None) => {}
            Err(error) => self.say(&request::error(&error)),
        }
        true
    }

    /// Begins with what is asked for. Gives what is to be answered now, if that isn't done yet.
    fn begin(
        &mut self,
        request: Request,
        now: Instant,
        context: Context,
    ) -> Result<Option<Ask>, String> {
        match request {
            Request::Get(ask) => return Ok(Some(ask)),
            Request::Watch(ask, every) => {
                let next = now + every;
                let first = ask.clone();
                self.watch = Some(Watch { ask, every, next });
                return Ok(Some(first));
            }
            Request::Profile(None, form) => self.say_by(|| form.of_all(context)),
            Request::Profile(Some(time), form) => {
                self.later = Some(Later::Profile(Before::now(), form, now + time));
            }
            Request::Trace => {
                let mut later = None;
                foreign::contain(|| later = Some(Later::last(context)));
                self.later = later;
                if !self.say_later(context) {
                    self.say(&request::error(PANICKED));
                }
            }
            Request::Record(time, one_in) => {
                let recording = Later::record(now + time, one_in, context);
                self.later = Some(recording.ok_or("busy: somebody records already")?);
            }
        }
        Ok(None)
    }

    /// Says what is found, unless that panics: then it says so.
    fn say_by(&mut self, find: impl FnOnce() -> String) {
        let mut text = request::error(PANICKED);
        foreign::contain(|| text = find());
        self.say(&text);
    }

    /// Puts a line behind what is to be said.
    fn say(&mut self, text: &str) {
        self.output.extend(text.as_bytes());
        self.output.push(b'\n');
        self.moved = Instant::now();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Also where the child of a fork has a copy of it.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Whether an error is none, but that nothing can be read or written now.
fn is_for_now(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
