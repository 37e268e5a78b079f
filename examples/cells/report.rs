//! What the user sees: the progress, the tables, and some sentences on them.

use super::making::Making;
use super::migrating::Migrating;
use super::options::Options;
use super::site::Run;
use super::way::{Lock, Way};
use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, TableComponent, presets};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use std::io::{self, Write};
use std::time::Duration;

const TEXT_WIDTH: usize = 80;

/// A bar over all requests of all runs; nothing where standard error is no terminal.
pub(crate) fn progress(options: &Options) -> ProgressBar {
    let runs = 2 * Way::all(options).len() as u64;
    let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}")
        .expect("the template is well-formed");
    let progress = ProgressBar::new(runs * u64::from(options.requests))
        .with_style(style)
        .with_finish(ProgressFinish::AndClear);
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}

/// The runs, in the order they were made.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

/// One run: a line of the table.
pub(crate) struct Row {
    way: Way,
    lock: Lock,
    requests: u32,
    cells: u32,
    meant: u32,
    run: Run,
}

impl Row {
    pub(crate) fn new(way: Way, lock: Lock, options: &Options, run: Run) -> Self {
        Self {
            way,
            lock,
            requests: options.requests,
            cells: options.cells,
            meant: way.connections_meant(options),
            run,
        }
    }

    fn leaked(&self) -> u32 {
        self.run.opened.saturating_sub(self.meant)
    }
}

/// The sums over the runs with one kind of lock.
struct Total {
    meant: u32,
    opened: u32,
    leaked: u32,
}

impl Report {
    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Whether every run with the lock opened exactly what was meant.
    pub(crate) fn lock_held(&self) -> bool {
        self.rows_with(Lock::PerCell)
            .all(|row| row.run.opened == row.meant)
    }

    /// Prints the tables and what they mean.
    pub(crate) fn print(&self, making: &Making, migrating: &Migrating) -> Result<()> {
        let fill = |text: String| textwrap::fill(&text, TEXT_WIDTH);
        let mut parts = vec![
            self.table(),
            fill(self.without_the_lock()),
            fill(self.with_the_lock()),
            making.table(),
        ];
        parts.extend(making.texts().map(fill));
        parts.push(migrating.table());
        parts.extend(migrating.texts().map(fill));
        let text = parts.join("\n\n") + "\n";
        io::stdout()
            .write_all(text.as_bytes())
            .context("cannot print the tables")
    }

    fn table(&self) -> String {
        let titles = [
            "way",
            "lock",
            "requests",
            "cells",
            "connections\nmeant",
            "opened",
            "leaked",
            "time",
        ];
        let rows = self.rows.iter().map(|row| {
            [
                row.way.to_string(),
                row.lock.to_string(),
                row.requests.to_string(),
                row.cells.to_string(),
                row.meant.to_string(),
                row.run.opened.to_string(),
                row.leaked().to_string(),
                format!("{} ms", row.run.time.as_millis()),
            ]
        });
        table(titles, rows)
    }

    fn without_the_lock(&self) -> String {
        let Total {
            meant,
            opened,
            leaked,
        } = self.total(Lock::None);
        let lucky: Vec<_> = self
            .rows_with(Lock::None)
            .filter(|row| row.leaked() == 0)
            .map(|row| row.way.to_string())
            .collect();
        if leaked == 0 {
            return format!(
                "Without the lock nothing leaked this time, though nothing prevented it: \
                 {opened} connections were opened and {meant} were meant."
            );
        }
        let luck = if lucky.is_empty() {
            String::new()
        } else {
            format!(" ({} happened not to leak this time)", lucky.join(", "))
        };
        format!(
            "Without the lock, a caller that misses the cache waits for I/O before it can fill \
             it, and others miss it meanwhile: {opened} connections were opened where {meant} \
             were meant, so {leaked} leaked{luck}."
        )
    }

    fn with_the_lock(&self) -> String {
        let Total {
            meant,
            opened,
            leaked,
        } = self.total(Lock::PerCell);
        if !self.lock_held() {
            return format!(
                "With `#[synchronized(key = cell.uuid)]` that should be over, but it isn't: \
                 {opened} connections were opened where {meant} were meant, and {leaked} leaked."
            );
        }
        format!(
            "With `#[synchronized(key = cell.uuid)]` the first caller of a cell opens it and \
             the next ones find it in the cache: {opened} connections were opened, {meant} were \
             meant and none leaked, one for each cell in each process that needed it, since each \
             process has a cache of its own."
        )
    }

    fn total(&self, lock: Lock) -> Total {
        Total {
            meant: self.rows_with(lock).map(|row| row.meant).sum(),
            opened: self.rows_with(lock).map(|row| row.run.opened).sum(),
            leaked: self.rows_with(lock).map(Row::leaked).sum(),
        }
    }

    fn rows_with(&self, lock: Lock) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.lock == lock)
    }
}

/// Two columns of words, and then figures. Eighty characters hold a line.
pub(crate) fn table<const N: usize>(
    titles: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_header(titles);
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 0 } else { 2 }, 0));
        if index >= 2 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
