//! The terminal: a screen of its own, and what happens at it.

use anyhow::{Context as _, Result};
use crossterm::cursor::Show;
use crossterm::event::{self, KeyEvent, KeyEventKind};
use crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{ExecutableCommand as _, execute};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{self, Stdout};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// How large a terminal is that says it has no size, as `script` and some containers do.
const SIZE: Rect = Rect::new(0, 0, 80, 24);

pub(super) enum Event {
    Key(KeyEvent),
    Resized,
    /// The service has said something.
    Said(Value),
    /// The service has hung up.
    Ended,
    Signal,
}

/// Listens to the keyboard and to signals.
pub(super) fn listen() -> Result<(Sender<Event>, Receiver<Event>)> {
    let (events, happens) = mpsc::channel();
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("can't listen to signals")?;
    let signalled = events.clone();
    thread::Builder::new().spawn(move || {
        signals.forever().next();
        let _ = signalled.send(Event::Signal);
    })?;
    let pressed = events.clone();
    thread::Builder::new().spawn(move || {
        // Without a keyboard nobody presses anything.
        while let Ok(event) = event::read() {
            let event = match event {
                event::Event::Key(key) if key.kind != KeyEventKind::Release => Event::Key(key),
                event::Event::Resize(..) => Event::Resized,
                _ => continue,
            };
            if pressed.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok((events, happens))
}

/// The terminal's other screen, with each key as it is pressed; dropping it gives back the first, as it
/// was.
pub(super) struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    pub(super) fn enter() -> Result<Self> {
        let viewport = match terminal::size() {
            Ok((1.., 1..)) => Viewport::Fullscreen,
            _ => Viewport::Fixed(SIZE),
        };
        let backend = CrosstermBackend::new(io::stdout());
        let options = TerminalOptions { viewport };
        // From here on it is given back, whatever fails.
        let screen = Self(Terminal::with_options(backend, options)?);
        terminal::enable_raw_mode()?;
        io::stdout().execute(EnterAlternateScreen)?;
        Ok(screen)
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.0.draw(draw).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
        let _ = terminal::disable_raw_mode();
    }
}
