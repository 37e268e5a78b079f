//! Text that is shown anew each second, on a screen of its own, as editors have.

use anyhow::{Context as _, Result};
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue, terminal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Shows a text until somebody ends it by Ctrl-C or another signal.
pub(crate) fn show(text: impl Fn() -> Result<String>) -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("can't listen to signals")?;
    let (end, is_end) = mpsc::channel();
    let thread = thread::Builder::new().spawn(move || {
        signals.forever().next();
        let _ = end.send(());
    });
    thread.context("can't listen to signals")?;
    let screen = Screen::enter()?;
    loop {
        screen.draw(&text()?)?;
        if is_end.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
            return Ok(());
        }
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
        let mut out = io::stdout().lock();
        let height = terminal::size().map_or(usize::MAX, |(_, rows)| rows.into());
        // Over what is there, and not on an empty screen, which would flicker.
        for (row, line) in (0..).zip(text.lines().take(height)) {
            queue!(out, MoveTo(0, row))?;
            write!(out, "{line}")?;
            queue!(out, Clear(ClearType::UntilNewLine))?;
        }
        execute!(out, Clear(ClearType::FromCursorDown))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), Show, EnableLineWrap, LeaveAlternateScreen);
    }
}
