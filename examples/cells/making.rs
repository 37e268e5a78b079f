//! What the user sees of the making of the databases: the second table, and what it means.

use super::host::{Outcome, Rescue};
use super::options::Options;
use super::report;
use super::way::{Lock, Way};

/// What came of it without the lock and with it, and of the worker that was killed.
pub(crate) struct Making {
    cells: u32,
    makers: Way,
    without: Outcome,
    with: Outcome,
    rescue: Rescue,
}

impl Making {
    pub(crate) fn new(options: &Options, without: Outcome, with: Outcome, rescue: Rescue) -> Self {
        Self {
            cells: options.cells,
            makers: Way::Processes {
                workers: options.workers,
            },
            without,
            with,
            rescue,
        }
    }

    /// Whether with the lock each database was made once, and the half one finished.
    pub(crate) fn lock_held(&self) -> bool {
        self.with.is_as_meant(self.cells) && self.rescue.complete
    }

    pub(crate) fn table(&self) -> String {
        let row = |lock: String, made: &Outcome| {
            [
                format!("databases, {}", self.makers),
                lock,
                self.cells.to_string(),
                made.made.to_string(),
                made.failed.to_string(),
                made.complete.to_string(),
                format!("{} ms", made.time.as_millis()),
            ]
        };
        let titles = [
            "once per host",
            "lock",
            "cells",
            "made",
            "failed",
            "complete",
            "time",
        ];
        let rows = [
            row(Lock::None.to_string(), &self.without),
            row("external".to_owned(), &self.with),
        ];
        report::table(titles, rows)
    }

    pub(crate) fn texts(&self) -> [String; 3] {
        [
            self.without_the_lock(),
            self.with_the_lock(),
            self.rescued(),
        ]
    }

    fn without_the_lock(&self) -> String {
        let Self {
            cells,
            makers,
            without,
            ..
        } = self;
        let beginning = format!(
            "Each database exists once on the host, and {makers} came to make it. Without the lock"
        );
        if without.is_as_meant(*cells) {
            return format!("{beginning} that went well this time, though nothing saw to it.");
        }
        format!(
            "{beginning} they were in each other's way: {} were made where {cells} were meant, \
             {}, and in the end {} are complete.",
            without.made,
            without.failures(),
            without.complete,
        )
    }

    fn with_the_lock(&self) -> String {
        let Self { cells, with, .. } = self;
        let attribute = "`#[synchronized(key = cell.uuid, external)]`";
        if !with.is_as_meant(*cells) {
            return format!(
                "With {attribute} that should be over, but it isn't: {} were made where {cells} \
                 were meant, {}, and {} are complete.",
                with.made,
                with.failures(),
                with.complete,
            );
        }
        format!(
            "With {attribute} the first process makes a database and the next ones find it made: \
             {cells} were made, nothing failed, and {cells} are complete. The lock is a file."
        )
    }

    fn rescued(&self) -> String {
        let Rescue {
            killed,
            rescuer,
            complete,
            time,
        } = self.rescue;
        let end = if complete {
            "and made it anew, completely,"
        } else {
            "and didn't complete it,"
        };
        format!(
            "Process {killed} was killed (SIGKILL) when it had made half of a database and held \
             its lock. So process {rescuer}, which waited for that, had the lock, found half a \
             database, {end} {:.1} ms after the kill.",
            time.as_secs_f64() * 1e3,
        )
    }
}
