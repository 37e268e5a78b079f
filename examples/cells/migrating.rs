//! What the user sees of the migrations: the third table, and what it means.

use super::fleet::{self, Late};
use super::host::Outcome;
use super::member::LEASE;
use super::options::Options;
use super::report;

/// What came of it without the lock and with it, and of the host that was stopped.
pub(crate) struct Migrating {
    cells: u32,
    hosts: u32,
    /// Whether the server is in this process, and the hosts are threads.
    in_memory: bool,
    without: Outcome,
    with: Outcome,
    late: Late,
}

impl Migrating {
    pub(crate) fn new(options: &Options, without: Outcome, with: Outcome, late: Late) -> Self {
        Self {
            cells: options.cells,
            hosts: options.workers,
            in_memory: fleet::is_in_memory(&options.fleet),
            without,
            with,
            late,
        }
    }

    /// Whether with the lock each database was migrated once, and what came too late was refused.
    pub(crate) fn lock_held(&self) -> bool {
        self.with.is_as_meant(self.cells) && self.late.complete && self.late.is_refused()
    }

    pub(crate) fn table(&self) -> String {
        let titles = [
            "once per fleet",
            "lock",
            "cells",
            "migrated",
            "failed",
            "complete",
            "time",
        ];
        let row = |lock: &str, done: &Outcome| {
            [
                format!("migrations, {}", self.by_hosts()),
                lock.to_owned(),
                self.cells.to_string(),
                done.made.to_string(),
                done.failed.to_string(),
                done.complete.to_string(),
                format!("{} ms", done.time.as_millis()),
            ]
        };
        let late = [
            "late write, 1 host".to_owned(),
            "lost".to_owned(),
            "1".to_owned(),
            u32::from(self.late.complete).to_string(),
            if self.late.is_refused() {
                "refused".to_owned()
            } else {
                "0".to_owned()
            },
            u32::from(self.late.complete).to_string(),
            format!("{} ms", self.late.time.as_millis()),
        ];
        let rows = [
            row("none", &self.without),
            row("of a server", &self.with),
            late,
        ];
        report::table(titles, rows)
    }

    pub(crate) fn texts(&self) -> [String; 3] {
        [
            self.without_the_lock(),
            self.with_the_lock(),
            self.too_late(),
        ]
    }

    fn by_hosts(&self) -> String {
        match self.hosts {
            1 => "1 host".to_owned(),
            hosts => format!("{hosts} hosts"),
        }
    }

    fn without_the_lock(&self) -> String {
        let Self { cells, without, .. } = self;
        let what_hosts_are = if self.in_memory {
            "threads here, each with a client of its own, since the server of the locks is in the \
             memory of this process; with `--fleet URL` they are processes"
        } else {
            "processes here, each with a directory, and so with lock files, of its own"
        };
        let beginning = format!(
            "Each database exists once in the fleet, and {} came to migrate it: {what_hosts_are}. \
             Without the lock",
            self.by_hosts()
        );
        if without.is_as_meant(*cells) {
            return format!("{beginning} that went well this time, though nothing saw to it.");
        }
        format!(
            "{beginning} they were in each other's way: {} were migrated where {cells} were \
             meant, {}, and in the end {} are complete.",
            without.made,
            without.failures(),
            without.complete,
        )
    }

    fn with_the_lock(&self) -> String {
        let Self { cells, with, .. } = self;
        let attribute = "`#[synchronized(key = cell.uuid, locks = host.locks, cancel_on_loss)]`";
        if !with.is_as_meant(*cells) {
            return format!(
                "With {attribute} that should be over, but it isn't: {} were migrated where \
                 {cells} were meant, {}, and {} are complete.",
                with.made,
                with.failures(),
                with.complete,
            );
        }
        format!(
            "With {attribute} the first host migrates a database and the next ones find it \
             migrated: {cells} were migrated, nothing failed, and {cells} are complete. The lock \
             is a server's."
        )
    }

    fn too_late(&self) -> String {
        let Late {
            stopped,
            other,
            complaint,
            complete,
            ..
        } = &self.late;
        let end = match (self.late.is_refused(), complete) {
            (true, true) => format!(
                "and wrote on, it was refused: \"{complaint}\". A lock of a server can be lost; \
                 the fence, which goes along with each write, is what keeps a late one out."
            ),
            _ => format!("that should have been refused, but it wasn't: \"{complaint}\"."),
        };
        let (stopped, lease) = (capitalized(stopped), LEASE.as_secs());
        let beginning = if self.in_memory {
            format!(
                "{stopped} stood still in the middle of a migration, and the server was told to \
                 end its lease, as it does after {lease} s where a host is stopped."
            )
        } else {
            format!(
                "{stopped} was stopped (SIGSTOP) in the middle of a migration, for longer than \
                 its lease of {lease} s."
            )
        };
        format!(
            "{beginning} So the lock went to {other}, which migrated anew. When the first one \
             woke up, too late, {end}"
        )
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}
