//! How it is drawn. Colours say nothing that signs don't, and with `NO_COLOR` there are none.

use super::model::{Model, Relations, Shown, Sort};
use crate::answer::{Lock, Party, seconds};
use crate::place;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table, TableState};
use std::borrow::Cow;
use textwrap::core::display_width;

/// How much of a queue is shown.
const QUEUE: usize = 8;

/// The columns that say how many and how long: their titles and widths.
const FIGURES: [(&str, u16); 4] = [
    ("FOR AT LEAST", 12),
    ("WAIT", 5),
    ("OLDEST", 8),
    ("LOAD", 6),
];

/// Which of them go first where there is no room: where so much of the names of locks and holders
/// couldn't be seen.
const LESSER: [(usize, u16); FIGURES.len()] = [(3, 48), (0, 48), (2, 40), (1, 24)];

/// A terminal with so many lines has one for the rates.
const TALL: u16 = 10;

/// One of its signs a number, from none to the most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub(super) fn draw(model: &mut Model, frame: &mut Frame<'_>) {
    let rates = model.rates.map(|[waits, timeouts, refused]| {
        format!("waits/s {waits:.1}  timeouts/s {timeouts:.1}  refused/s {refused:.1}")
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
    frame.render_widget(Line::styled(summary, bold()), head);
    frame.render_widget(Line::raw(rates.unwrap_or_default()), below);
    frame.render_widget(Line::raw(hints), keys);
    match &model.shown {
        Shown::Text(text, line) => {
            let lines = text.lines().skip(*line);
            let lines = lines.flat_map(|line| wrapped(line, body.width));
            let lines = lines.take(body.height.into()).map(Line::raw);
            frame.render_widget(lines.collect::<Text<'_>>(), body);
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
        let names = [
            String::new(),
            format!("{} more", model.locks.left_off),
            String::new(),
        ];
        cells.push(Cells {
            names,
            ..Cells::default()
        });
    }
    let (widths, figures) = fit(area.width, &cells);
    let title = |(title, _): &(&str, u16)| right((*title).to_owned());
    let mut titles = vec![Cell::from(""), Cell::from("LOCK"), Cell::from("HELD BY")];
    titles.extend(figures.iter().map(|index| title(&FIGURES[*index])));
    titles.push(Cell::from(""));
    let rows = cells.into_iter().map(|cells| cells.into_row(&figures));
    let table = Table::new(rows, widths).header(Row::new(titles).style(bold()));
    let table = table.row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}

/// What is in a line.
#[derive(Default)]
struct Cells {
    /// The sign, the lock, and who holds it.
    names: [String; 3],
    /// In the order of [`FIGURES`].
    figures: [String; FIGURES.len()],
    note: String,
    is_alarm: bool,
}

impl Cells {
    fn into_row(self, figures: &[usize]) -> Row<'static> {
        let mut cells: Vec<_> = self.names.into_iter().map(Cell::from).collect();
        let of = |index: &usize| right(self.figures[*index].clone());
        cells.extend(figures.iter().map(of));
        cells.push(Cell::from(self.note));
        Row::new(cells).style(if self.is_alarm { alarm() } else { Style::new() })
    }
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
        names: [sign.to_owned(), name.to_owned(), lock.held_by()],
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
            names: [String::new(), format!("│ {number}"), party.name()],
            figures: [held, waiters, seconds(party.since_s), load],
            note: notes.join(", "),
            is_alarm: false,
        }
    };
    let shown = lock.queue.iter().take(QUEUE).zip(1..);
    cells.extend(shown.map(|(party, number)| line(format!("{number}"), party)));
    let known = u32::try_from(QUEUE.min(lock.queue.len())).unwrap_or(u32::MAX);
    let more = lock.waiters.saturating_sub(known);
    if more > 0 {
        let names = [String::new(), format!("│ {more} more"), String::new()];
        cells.push(Cells {
            names,
            ..Cells::default()
        });
    }
}

/// The widths of the columns, and which figures there is room for, by their places.
fn fit(width: u16, cells: &[Cells]) -> (Vec<Constraint>, Vec<usize>) {
    let taken = |figures: &[usize]| -> u16 {
        let widths = figures.iter().map(|index| FIGURES[*index].1 + 1);
        widths.sum()
    };
    let mut figures: Vec<_> = (0..FIGURES.len()).collect();
    for (lesser, names) in LESSER {
        if taken(&figures) + names > width {
            figures.retain(|index| *index != lesser);
        }
    }
    let widest = |column: usize| {
        let widths = cells
            .iter()
            .map(|cells| Line::raw(&*cells.names[column]).width());
        u16::try_from(widths.max().unwrap_or_default()).unwrap_or(u16::MAX)
    };
    let room = width.saturating_sub(taken(&figures) + 4);
    let lock = widest(1).clamp(4, (room * 2 / 5).max(4));
    let holder = widest(2).clamp(7, room.saturating_sub(lock).max(7));
    let mut widths = [1, lock, holder].map(Constraint::Length).to_vec();
    let of_figures = figures.iter().map(|index| FIGURES[*index].1);
    widths.extend(of_figures.map(Constraint::Length));
    widths.push(Constraint::Fill(1));
    (widths, figures)
}

fn right(text: String) -> Cell<'static> {
    Cell::from(Text::raw(text).alignment(Alignment::Right))
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
