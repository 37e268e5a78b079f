//! The locks in the memory of a process, as a table.

use crate::answer::{Locks, Party, seconds};
use crate::service::Hello;
use crate::table;
use comfy_table::{CellAlignment, ColumnConstraint, Row};

const TITLES: [&str; 5] = ["LOCK", "HELD BY", "FOR AT LEAST", "WAITERS", "OLDEST"];

pub(crate) fn text(process: &Hello, locks: &Locks) -> String {
    if locks.locks.is_empty() {
        return format!("nobody holds a lock in {process}");
    }
    let mut table = table::plain(&TITLES);
    for lock in &locks.locks {
        let mut holder = lock.held_by(Party::name);
        if lock.suspected {
            holder += ", suspected deadlock";
        }
        let waiters = match lock.waiters {
            0 => String::new(),
            count => count.to_string(),
        };
        let cells = [
            lock.name(),
            holder,
            seconds(lock.held()),
            waiters,
            seconds(lock.oldest()),
        ];
        let mut row = Row::from(cells);
        row.max_height(1);
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((1, 0));
        if index > 1 {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    if let Some(width) = table::width() {
        table.set_width(width);
    }
    let more = match locks.left_off {
        0 => String::new(),
        count => format!("\n{count} more"),
    };
    format!("locks in {process}\n\n{}{more}", table.trim_fmt())
}
