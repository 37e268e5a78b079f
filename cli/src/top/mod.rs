//! `lockutils top`: the locks of a process that runs, as they change.
//!
//! The service says each second what there is. [`model`] is what is known and what the person has
//! chosen, [`view`] draws it, and [`terminal`] has the screen and the keys, and gives the terminal back as
//! it was. Where nobody sees it, it is one table.

mod columns;
mod model;
mod terminal;
mod view;

use crate::answer::{Counted, Locks};
use crate::args::TopArgs;
use crate::service::{self, Service};
use crate::{answer, exit, listing};
use anyhow::Result;
use model::{Action, Model};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::mpsc::Sender;
use std::thread;
use terminal::{Event, Screen};

/// How many locks the service tells of.
const LOCKS: usize = 500;

pub(crate) fn run(args: &TopArgs) -> Result<ExitCode> {
    let mut service = Service::find(args.service.service.as_deref())?;
    if !io::stdout().is_terminal() {
        let locks = service.ask_for::<Locks>(&json!({ "get": "locks", "limit": LOCKS }))?;
        let text = listing::text(&service.hello, &locks);
        writeln!(io::stdout(), "{text}")?;
        return Ok(ExitCode::SUCCESS);
    }
    service.say(&json!({ "watch": "locks", "limit": LOCKS, "every_ms": 1000 }))?;
    let hello = service.hello.clone();
    let ended = show(service)?;
    if ended {
        exit::say(format_args!("{hello} has ended, or has hung up"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows a service until somebody has enough of it, or it ends; tells which.
fn show(service: Service) -> Result<bool> {
    let mut model = Model::new(service.hello.clone());
    let (events, happens) = terminal::listen()?;
    let mut asks = listen(service, events)?;
    let mut screen = Screen::enter()?;
    loop {
        screen.draw(|frame| view::draw(&mut model, frame))?;
        // All that has come is drawn at once.
        let first = happens.recv();
        for event in first.into_iter().chain(happens.try_iter()) {
            match event {
                Event::Key(key) => match model.press(key) {
                    Action::None => {}
                    Action::Quit => return Ok(false),
                    Action::AskWhy => ask(&mut asks, "why"),
                    Action::AskProfile => ask(&mut asks, "profile"),
                },
                Event::Said(answer) => {
                    if answer.get("locks").is_some() {
                        ask(&mut asks, "metrics");
                    }
                    hear(&mut model, answer)?;
                }
                Event::Resized => {}
                Event::Signal => return Ok(false),
                Event::Ended => return Ok(true),
            }
        }
    }
}

/// Asks for something once. If the service is gone, that is an event.
fn ask(asks: &mut UnixStream, what: &str) {
    let _ = writeln!(asks, "{}", json!({ "get": what }));
}

/// Takes in what the service says.
fn hear(model: &mut Model, answer: Value) -> Result<()> {
    let answer = service::told(answer)?;
    if let Some(metrics) = answer["metrics"].as_str() {
        model.count(Counted::of(metrics));
    } else if answer.get("locks").is_none() {
        model.explain(answer::text(&answer).unwrap_or_default());
    } else {
        model.update(serde_json::from_value(answer)?);
    }
    Ok(())
}

/// Has what the service says be an event. Gives the stream to ask by.
fn listen(service: Service, events: Sender<Event>) -> Result<UnixStream> {
    let mut lines = service.into_lines()?;
    let asks = lines.get_ref().try_clone()?;
    thread::Builder::new().spawn(move || {
        while let Ok(Some(answer)) = service::hear(&mut lines) {
            if events.send(Event::Said(answer)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::Ended);
    })?;
    Ok(asks)
}
