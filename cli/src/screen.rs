//! Text that is shown anew each second, on a screen of its own, as editors have, until
//! somebody presses `q` or Ctrl-C.

use crate::fit::cut;
use anyhow::{Context as _, Result};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue, terminal};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Read as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// How many lines a terminal has that says it has none, as `script` and some containers do.
const ROWS: u16 = 24;

/// Shows a text until somebody ends it by `q`, Ctrl-C or another signal.
pub(crate) fn show(text: impl Fn() -> Result<String>) -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("can't listen to signals")?;
    let (end, is_end) = mpsc::channel();
    let ended = end.clone();
    let thread = thread::Builder::new().spawn(move || {
        signals.forever().next();
        let _ = ended.send(());
    });
    thread.context("can't listen to signals")?;
    let _keyboard = Keyboard::enter(end);
    let screen = Screen::enter()?;
    loop {
        screen.draw(&text()?)?;
        if is_end.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
            return Ok(());
        }
    }
}

/// The keyboard, each key as it is pressed and not shown; dropping it gives it back as it was.
/// Ctrl-C is the signal that it always is, and Ctrl-Z nothing, since a shell would then have this
/// screen.
struct Keyboard(Termios);

impl Keyboard {
    /// `None` if standard input is no terminal: then nobody presses anything.
    fn enter(end: Sender<()>) -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut keys = before.clone();
        keys.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO);
        // No character at all, as POSIX has it.
        keys.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &keys).ok()?;
        let before = Self(before);
        let reader = thread::Builder::new().spawn(move || {
            let pressed = io::stdin().lock().bytes().map_while(Result::ok);
            if { pressed }.any(|key| key == b'q' || key == b'Q') {
                let _ = end.send(());
            }
        });
        reader.is_ok().then_some(before)
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// The terminal's other screen; dropping it gives back the first, as it was.
struct Screen;

impl Screen {
    fn enter() -> io::Result<Self> {
        execute!(io::stdout(), EnterAlternateScreen, DisableLineWrap, Hide)?;
        Ok(Self)
    }

    fn draw(&self, text: &str) -> io::Result<()> {
        let Self = self;
        let (columns, rows) = terminal::size().unwrap_or_default();
        let width = if columns == 0 { u16::MAX } else { columns };
        let height = if rows == 0 { ROWS } else { rows };
        let mut picture = Vec::new();
        let mut lines = text.lines();
        // Over what is there, and not on an empty screen, which would flicker. A row is cleared before it is written:
        // a line that is as wide as the terminal leaves the cursor on its last character, which would be cleared too.
        for row in 0..height {
            queue!(picture, MoveTo(0, row))?;
            let Some(line) = lines.next() else {
                queue!(picture, Clear(ClearType::FromCursorDown))?;
                break;
            };
            queue!(picture, Clear(ClearType::UntilNewLine))?;
            picture.extend(cut(line.to_owned(), width).into_bytes());
        }
        let mut out = io::stdout().lock();
        out.write_all(&picture)?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), Show, EnableLineWrap, LeaveAlternateScreen);
    }
}
