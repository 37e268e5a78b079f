//! A terminal, with a program at it.

use crate::shell;
use lockutils_tests::{Directory, LIMIT, eventually, is_stopped};
use nix::libc::O_NOCTTY;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::io::{Read as _, Write};
use std::mem;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;
use vt100::{Parser, Screen};

/// What no program says.
const END: u8 = 0x05;

/// What each picture of a program ends with that shows one after the other: the cursor is hidden.
const PICTURE: &[u8] = b"\x1b[?25l";

/// Runs a program, which is killed when this is dropped.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    /// What has come, and isn't on the screen yet.
    ahead: Vec<u8>,
    parser: Parser,
    /// All that it has said until now.
    said: Vec<u8>,
    /// Open for as long as somebody looks.
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    pub(crate) fn start(command: &Command) -> Self {
        let (rows, cols) = (24, 120);
        let pair = native_pty_system()
            .openpty(PtySize {
                rows,
                cols,
                ..PtySize::default()
            })
            .expect("the system has terminals");
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => builder.env(name, value),
                None => builder.env_remove(name),
            }
        }
        builder.env("TERM", "xterm-256color");
        builder.cwd(std::env::current_dir().expect("it is there"));
        let child = pair
            .slave
            .spawn_command(builder)
            .expect("it can be started");
        let mut reader = pair.master.try_clone_reader().expect("it can be read");
        let (send, output) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It is an error to read from a terminal that nobody has open any more.
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keyboard: pair.master.take_writer().expect("the first time"),
            output,
            ahead: Vec::new(),
            parser: Parser::new(rows, cols, 0),
            said: Vec::new(),
            master: pair.master,
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("it is open");
    }

    /// Looks at the screen until it is as wanted: at each picture, also if the next one is there already, since this
    /// process may have stood still meanwhile.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, is_so: impl Fn(&Screen) -> bool) {
        let start = Instant::now();
        while !is_so(self.parser.screen()) {
            if self.ahead.is_empty() {
                let left = LIMIT.saturating_sub(start.elapsed());
                match self.output.recv_timeout(left) {
                    Ok(bytes) => self.ahead = bytes,
                    Err(error) => panic!("{what}: {error}: {}", self.parser.screen().contents()),
                }
            }
            let mut parts = self.ahead.windows(PICTURE.len());
            let end = parts.position(|part| part == PICTURE);
            let later = end.map(|at| self.ahead.split_off(at + PICTURE.len()));
            let picture = mem::replace(&mut self.ahead, later.unwrap_or_default());
            self.show(&picture);
        }
    }

    /// Looks at the screen until it has this text.
    #[track_caller]
    pub(crate) fn until_it_has(&mut self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Whether this text was there, also if it is gone.
    pub(crate) fn has_had(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.said).contains(text)
    }

    fn show(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.said.extend(bytes);
    }

    /// Sends the program a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("an id"), signal).expect("it runs");
    }

    /// Stops the program, and waits until it has stopped.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        eventually("it stops", || is_stopped(self.id()));
    }

    fn id(&self) -> u32 {
        self.child.process_id().expect("an id")
    }

    /// Waits until the program has ended and all that it says is on the screen; gives its
    /// exit status.
    pub(crate) fn end(&mut self) -> (u32, &Screen) {
        let status = self.child.wait().expect("it ends");
        self.mark_end();
        let ahead = mem::take(&mut self.ahead);
        self.show(&ahead);
        while let Ok(mut bytes) = self.output.recv_timeout(LIMIT) {
            let is_end = bytes.last() == Some(&END);
            if is_end {
                bytes.pop();
            }
            self.show(&bytes);
            if is_end {
                break;
            }
        }
        (status.exit_code(), self.parser.screen())
    }

    /// Says that nothing more comes. A process that another test has started meanwhile may have this
    /// terminal open as well, from before it could be told that it isn't to be inherited, and so there
    /// may be no end of file.
    fn mark_end(&self) {
        let path = self.master.tty_name().expect("it has a name");
        let terminal = OpenOptions::new()
            .write(true)
            .custom_flags(O_NOCTTY)
            .open(path);
        // Where it can't be opened any more, its end has come.
        let _ = terminal.and_then(|mut terminal| terminal.write_all(&[END]));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended already is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn picture_that_is_gone_already_is_seen() {
    // All of it comes at a time.
    let script = r"printf 'sooner\033[?25l\rlater \033[?25l\rlast  '; read line";
    let mut terminal = Terminal::start(&shell(&Directory::new(), script));
    for text in ["sooner", "later", "last"] {
        terminal.until_it_has(text);
    }
    terminal.press("\n");
    assert!(terminal.end().1.contents().contains("last"));
}

#[test]
fn end_does_not_wait_for_others_that_have_the_terminal_open() {
    let directory = Directory::new();
    let mut terminal = Terminal::start(&shell(&directory, "read line; echo said"));
    let path = terminal.master.tty_name().unwrap();
    let _other = OpenOptions::new()
        .read(true)
        .custom_flags(O_NOCTTY)
        .open(path);
    let start = Instant::now();
    terminal.press("\n");
    assert!(terminal.end().1.contents().contains("said"));
    assert!(start.elapsed() < LIMIT);
}
