//! The table of `lockutils ps`, as wide as the terminal.

use crate::holder;
use comfy_table::{
    Cell, ColumnConstraint, ContentArrangement, Row, Table, TableComponent, Width, presets,
};
use lockutils::{Holder, LockState};
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::time::SystemTime;

const TITLES: [&str; 6] = ["KEY", "PID", "COMMAND", "TAKEN AT", "HELD FOR", "WAITERS"];

/// Those of the columns that give way to a narrow terminal: the place in the code first.
const COMMAND: usize = 2;
const PLACE: usize = 3;

/// Of less than this a column tells nothing, in characters.
const LEAST: u16 = 12;

/// The space before what is in a column: its padding, and the line between columns, which is a
/// blank.
const PADDING: u16 = 2;

/// A lock that somebody holds, and the ids of the processes that wait for it, each once, as far as
/// they can be seen.
pub(crate) struct Lock {
    pub(crate) state: LockState,
    pub(crate) waiters: Vec<u32>,
}

/// Where was looked, and when; and a line for each lock, of all or of those that were named.
pub(crate) fn text(locks: &str, named: &[OsString], held: &[Lock]) -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now());
    if held.is_empty() {
        let which = match named {
            [] => "a lock".to_owned(),
            [key] => format!("lock {key:?}"),
            keys => format!("any of locks {keys:?}"),
        };
        return format!("nobody holds {which} in {locks:?}, {now}");
    }
    let mut table = plain(&TITLES);
    for lock in held {
        let mut row = Row::from(cells(lock).map(Cell::new));
        // What is too wide for the terminal is cut off.
        row.max_height(1);
        table.add_row(row);
    }
    let has_place = held.iter().any(|lock| place(lock).is_some());
    fit(&mut table, width(), has_place);
    let suspected = suspected(held);
    format!(
        "locks in {locks:?}, {now}\n\n{}{suspected}",
        table.trim_fmt()
    )
}

/// The locks whose holders may wait for one another.
fn suspected(held: &[Lock]) -> String {
    let suspected = held.iter().filter(|lock| lock.state.suspected_deadlock);
    let keys: Vec<_> = suspected
        .map(|lock| lock.state.key.as_str().escape_debug().to_string())
        .collect();
    if keys.is_empty() {
        return String::new();
    }
    format!("\n\npart of a suspected deadlock: {}", keys.join(", "))
}

/// A table of that style.
pub(crate) fn plain(titles: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_truncation_indicator("…")
        .set_header(titles);
    table
}

fn cells(lock: &Lock) -> [String; TITLES.len()] {
    let holder = lock.state.holders.first();
    let of_holder = |text: fn(&Holder) -> Option<String>| {
        holder.and_then(text).unwrap_or_else(|| "?".to_owned())
    };
    [
        lock.state.key.as_str().escape_debug().to_string(),
        of_holder(holder::process),
        of_holder(holder::command),
        place(lock).unwrap_or_default(),
        of_holder(holder::held),
        waiters(lock),
    ]
}

/// Where a program has taken the lock for itself.
pub(crate) fn place(lock: &Lock) -> Option<String> {
    lock.state.holders.first().and_then(Holder::place)
}

/// How many wait, and which processes those are, as far as they can be seen.
fn waiters(lock: &Lock) -> String {
    let count = lock.state.waiters;
    if lock.waiters.is_empty() {
        return count.to_string();
    }
    let ids: Vec<_> = lock.waiters.iter().map(u32::to_string).collect();
    format!("{count}: {}", ids.join(" "))
}

/// The width of the terminal, if it is one and has any.
pub(crate) fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (width, _) = crossterm::terminal::size().ok()?;
    (width > 0).then_some(width)
}

/// Leaves all that there is room for: the place in the code is cut first, and then the command.
fn fit(table: &mut Table, width: Option<u16>, has_place: bool) {
    if let Some(width) = width {
        table.set_width(width);
    }
    let wanted = table.column_max_content_widths();
    let others = wanted.iter().enumerate();
    let others = others.filter(|(index, _)| ![COMMAND, PLACE].contains(index));
    let others: u16 = others.map(|(_, wanted)| wanted + PADDING).sum();
    let room = width.unwrap_or(u16::MAX).saturating_sub(others);
    let for_place = if has_place {
        room.saturating_sub(wanted[COMMAND] + PADDING)
    } else {
        0
    };
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((1, 0));
        column.set_constraint(match index {
            PLACE => constraint(wanted[PLACE], for_place),
            COMMAND => constraint(wanted[COMMAND], room),
            // A key that is wider than all is cut.
            0 if room == 0 => continue,
            _ => ColumnConstraint::ContentWidth,
        });
    }
}

/// A column that has so much room, with the space around it.
fn constraint(wanted: u16, room: u16) -> ColumnConstraint {
    if wanted + PADDING <= room {
        ColumnConstraint::ContentWidth
    } else if room < LEAST {
        ColumnConstraint::Hidden
    } else {
        ColumnConstraint::Absolute(Width::Fixed(room - 1))
    }
}
