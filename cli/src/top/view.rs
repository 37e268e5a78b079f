//! How it is drawn. Colours say nothing that signs don't, and with `NO_COLOR` there are none.

use super::columns::{Cells, Columns, FIGURES, Named};
use super::model::{Model, Relations, Shown, Sort};
use crate::answer::{Lock, Party, seconds};
use crate::place;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Row, Table, TableState};
use std::borrow::Cow;
use textwrap::core::display_width;

/// How much of a queue is shown.
const QUEUE: usize = 8;

/// A terminal with so many lines has one for the rates.
const TALL: u16 = 10;

/// One of its signs a number, from none to the most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(super) fn draw(model: &mut Model, frame: &mut Frame<'_>) {
    let rates = model.rates.map(|[waits, timeouts, refused]| {
        [
            format!("waits/s {waits:.1}"),
            format!("timeouts/s {timeouts:.1}"),
            format!("refused/s {refused:.1}"),
        ]
    });
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length((rates.is_some() && frame.area().height >= TALL).into()),
        Constraint::Length(1),
        Constraint::Fill(1),
    ]);
    let [head, below, keys, body] = parts.areas(frame.area());
    let fitting = |parts: &[String]| fitting(parts, frame.area().width);
    let (summary, hints) = (fitting(&summary(model)), fitting(&hints(model)));
    let rates = rates.map(|rates| fitting(&rates));
    frame.render_widget(Line::styled(summary, bold()), head);
    frame.render_widget(Line::raw(rates.unwrap_or_default()), below);
    frame.render_widget(Line::raw(hints), keys);
    // Of two pages one line is the same.
    model.page = usize::from(body.height.saturating_sub(1)).max(1);
    match &mut model.shown {
        Shown::Text(text, line) => {
            let lines = text.lines().flat_map(|line| wrapped(line, body.width));
            let lines: Vec<_> = lines.map(Line::raw).collect();
            *line = (*line).min(lines.len().saturating_sub(body.height.into()));
            let seen = lines.into_iter().skip(*line).take(body.height.into());
            frame.render_widget(seen.collect::<Text<'_>>(), body);
        }
        Shown::Locks => table(model, frame, body),
    }
}

/// As many parts of a line as there is room for, and one at least.
fn fitting(parts: &[String], width: u16) -> String {
    let mut line = String::new();
    for part in parts {
        let is_first = line.is_empty();
        let room = usize::from(width).saturating_sub(display_width(&line) + 2);
        if !is_first && display_width(part) > room {
            break;
        }
        line += if is_first { "" } else { "  " };
        line += part;
    }
    line
}

/// A line of a text, and where it is wider than the terminal what is left of it below, behind what
/// stands before the first word.
fn wrapped(line: &str, width: u16) -> Vec<String> {
    let is_margin = |char: &char| " │├└─".contains(*char);
    let margin = line.chars().take_while(is_margin);
    let below = margin.map(|char| if "│├".contains(char) { '│' } else { ' ' });
    let below = below.chain("   ".chars()).collect::<String>();
    let options = textwrap::Options::new(width.into()).subsequent_indent(&below);
    let lines = textwrap::wrap(line, options);
    lines.into_iter().map(Cow::into_owned).collect()
}

/// The process, and how many wait.
fn summary(model: &Model) -> Vec<String> {
    let up = model
        .hello
        .uptime()
        .map_or_else(String::new, |up| format!(", up {up}"));
    let mut parts = vec![format!("{}{up}", model.hello)];
    if !model.is_known {
        return parts;
    }
    let (waiters, held) = (model.locks.waiters, model.locks.held);
    parts.extend([format!("{waiters} waiting"), format!("{held} held")]);
    let oldest = model.oldest();
    parts.extend(oldest.map(|oldest| format!("oldest {oldest:.1} s")));
    parts.push(format!("load {:.1} {}", model.all_load(), bars(model)));
    parts
}

/// How many have waited, the last time last.
fn bars(model: &Model) -> String {
    let most = model.history.iter().max().copied().unwrap_or_default();
    let bar = |count: &u32| {
        // One has the second at least.
        let bar = (u64::from(*count) * 7).div_ceil(most.max(1).into());
        usize::try_from(bar).map_or(BARS[0], |bar| BARS[bar])
    };
    model.history.iter().map(bar).collect()
}

fn hints(model: &Model) -> Vec<String> {
    let all = |parts: &[&str]| parts.iter().map(ToString::to_string).collect();
    if let Shown::Text(..) = model.shown {
        return all(&["↑↓ scroll", "Esc back", "q quit"]);
    }
    if model.is_typing {
        return all(&[&format!("find: {}_", model.filter), "⏎ done", "Esc all"]);
    }
    let sort = match model.sort {
        Sort::Load => "s sort: load",
        Sort::Oldest => "s sort: oldest",
        Sort::Waiters => "s sort: waiters",
    };
    let mut hints = vec!["q quit", "w why", "p profile", "⏎ queue", sort, "/ find"];
    if model.is_frozen {
        hints.insert(0, "FROZEN, space goes on");
    } else {
        hints.push("space freeze");
    }
    let found = format!("found: {}, Esc all", model.filter);
    if !model.filter.is_empty() {
        hints.insert(0, &found);
    }
    all(&hints)
}

/// The locks, each with its queue if that is open.
fn table(model: &mut Model, frame: &mut Frame<'_>, area: Rect) {
    let rows = model.rows();
    if rows.is_empty() && model.is_known {
        let text = if model.locks.locks.is_empty() {
            "nobody holds a lock"
        } else {
            "no such lock"
        };
        frame.render_widget(Text::raw(format!("\n  {text}")), area);
        return;
    }
    let relations = model.relations();
    let (mut cells, mut selected) = (Vec::new(), None);
    for (name, lock) in &rows {
        if model.selected.as_ref() == Some(name) {
            selected = Some(cells.len());
        }
        cells.push(of_lock(model, name, lock, &relations));
        if model.is_open(name) {
            queue(lock, &relations, &mut cells);
        }
    }
    if model.locks.left_off > 0 {
        cells.push(Cells {
            lock: format!("{} more", model.locks.left_off),
            ..Cells::default()
        });
    }
    let columns = Columns::fit(area.width, &cells);
    let rows = cells.into_iter().map(|cells| {
        let style = if cells.is_alarm {
            alarm()
        } else {
            Style::new()
        };
        Row::new(columns.line(cells)).style(style)
    });
    let header = Row::new(columns.titles()).style(bold());
    let table = Table::new(rows, columns.widths()).header(header);
    let table = table.row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}

fn of_lock(model: &Model, name: &str, lock: &Lock, relations: &Relations) -> Cells {
    let is_alarm = lock.suspected || lock.is_not_polled();
    let sign = match (is_alarm, model.is_open(name), lock.waiters) {
        (true, ..) => "!",
        (false, true, _) => "▾",
        (false, false, 1..) => "▸",
        (false, false, 0) => " ",
    };
    let awaited = lock
        .holders
        .iter()
        .find_map(|holder| relations.awaited_by(holder));
    let mut note = awaited.map_or_else(String::new, |lock| format!("⇠ {lock}"));
    if lock.suspected {
        note = format!("deadlock {note}");
    }
    let of_waiters = |text: String| {
        if lock.waiters > 0 {
            text
        } else {
            String::new()
        }
    };
    Cells {
        sign,
        lock: name.to_owned(),
        holder: Named::of(|name| lock.held_by(name)),
        figures: [
            seconds(lock.held()),
            of_waiters(lock.waiters.to_string()),
            seconds(lock.oldest()),
            of_waiters(format!("{:.1}", model.load(name))),
        ],
        note,
        is_alarm,
    }
}

/// Those who wait, and what they hold that others wait for.
fn queue(lock: &Lock, relations: &Relations, cells: &mut Vec<Cells>) {
    let line = |number: String, party: &Party| {
        let holds = relations.held_by(party).map(|lock| format!("holds {lock}"));
        let left = party
            .gives_up_in_s
            .map(|left| format!("gives up in {left:.1} s"));
        let notes: Vec<_> = holds.into_iter().chain(left).collect();
        let [held, waiters, .., load] = <[String; FIGURES.len()]>::default();
        Cells {
            lock: format!("│ {number}"),
            holder: Named::of(|name| name(party)),
            figures: [held, waiters, seconds(party.since_s), load],
            note: notes.join(", "),
            ..Cells::default()
        }
    };
    let shown = lock.queue.iter().take(QUEUE).zip(1..);
    cells.extend(shown.map(|(party, number)| line(format!("{number}"), party)));
    let known = u32::try_from(QUEUE.min(lock.queue.len())).unwrap_or(u32::MAX);
    let more = lock.waiters.saturating_sub(known);
    if more > 0 {
        cells.push(Cells {
            lock: format!("│ {more} more"),
            ..Cells::default()
        });
    }
}

const fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

/// Beside the sign.
fn alarm() -> Style {
    match place::variable("NO_COLOR") {
        Some(_) => bold(),
        None => bold().fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Locks;
    use crate::service::Hello;
    use crossterm::event::KeyCode;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Cell as BufferCell;
    use serde_json::json;
    use std::mem;
    use std::time::Instant;

    fn model(locks: usize) -> Model {
        let lock = |number: usize| {
            json!({
                "space": "cells", "key": format!("{number:04}"), "waiters": 1 + number % 7,
                "holders": [{ "site": "connect (src/cells.rs:41)", "tid": number, "held_at_least_s": 2.0 }],
                "queue": [{ "site": "refresh (src/cells.rs:90)", "tid": number + 1, "since_s": 1.0 }],
            })
        };
        let all: Vec<_> = (0..locks).map(lock).collect();
        let answer = json!({ "locks": all, "left_off": 3, "held": locks, "waiters": locks });
        let mut model = Model::new(Hello {
            pid: 4711,
            name: "nova-compute".to_owned(),
            start: "2026-11-29T03:10:00Z".to_owned(),
        });
        model
            .update(serde_json::from_value::<Locks>(answer).expect("it is as the protocol has it"));
        model
    }

    fn drawn(model: &mut Model, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("it has a size");
        let frame = terminal
            .draw(|frame| draw(model, frame))
            .expect("it can be drawn");
        let cells = frame.buffer.content().iter().map(BufferCell::symbol);
        cells.collect()
    }

    #[test]
    fn any_size_can_be_drawn() {
        let mut model = model(20);
        model.press(KeyCode::Enter.into());
        let draw_all = |model: &mut Model| {
            for width in (0..30).chain([46, 60, 80, 130]) {
                for height in [0, 1, 2, 3, 5, 24] {
                    drawn(model, width, height);
                }
            }
        };
        draw_all(&mut model);
        let text = "1  cells/2f1c\n   ├─ refresh (src/cells.rs:90)".to_owned();
        let shown = mem::replace(&mut model.shown, Shown::Text(text, 0));
        draw_all(&mut model);
        model.shown = shown;
        for (width, titles) in [(100, "LOAD"), (80, "OLDEST"), (60, "WAIT"), (40, "WAIT")] {
            assert!(drawn(&mut model, width, 24).contains(titles), "{width}");
        }
    }

    #[test]
    fn page_of_a_text_is_as_high_as_the_terminal() {
        let mut model = model(1);
        let lines: Vec<_> = (0..20).map(|number| format!("line {number}.")).collect();
        model.shown = Shown::Text(lines.join("\n"), 0);
        // Two of ten lines are the head.
        for (key, first, last) in [
            (KeyCode::Up, 0, 7),
            (KeyCode::Char(' '), 7, 14),
            (KeyCode::PageDown, 12, 19),
            (KeyCode::Up, 11, 18),
            (KeyCode::End, 12, 19),
            (KeyCode::PageUp, 5, 12),
            (KeyCode::Home, 0, 7),
        ] {
            model.press(key.into());
            let text = drawn(&mut model, 40, 10);
            let has = |number: usize| text.contains(&format!("line {number}."));
            let seen: Vec<_> = (0..20).filter(|number| has(*number)).collect();
            assert_eq!(seen, (first..=last).collect::<Vec<_>>(), "{key:?}");
        }
    }

    #[test]
    fn parts_are_whole_or_not_there() {
        let parts = ["q quit", "w why", "⏎ queue"].map(str::to_owned);
        assert_eq!(fitting(&parts, 22), "q quit  w why  ⏎ queue");
        assert_eq!(fitting(&parts, 21), "q quit  w why");
        assert_eq!(fitting(&parts, 3), "q quit");
    }

    #[test]
    fn lines_go_on_behind_their_margin() {
        assert_eq!(
            wrapped("1  a/b, held by c", 12),
            ["1  a/b, held", "   by c"]
        );
        assert_eq!(wrapped("   ├─ a in b", 11), ["   ├─ a in", "   │     b"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    /// Of more locks than lines the first are shown, and how long it takes is said: `--nocapture`.
    #[test]
    fn two_hundred_locks_are_drawn_at_once() {
        let mut model = model(200);
        let times = (0..10).map(|_| {
            let start = Instant::now();
            let text = drawn(&mut model, 120, 60);
            let time = start.elapsed();
            assert!(text.contains("cells/0006") && !text.contains("cells/0199"));
            time
        });
        println!("{:?} for 200 locks", times.min());
    }
}
