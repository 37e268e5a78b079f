//! What services tell of their locks.

use crate::holder;
use crate::time::roughly;
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

/// All locks of a process.
#[derive(Clone, Debug, Default, Deserialize)]
#[expect(clippy::struct_field_names, reason = "as the protocol has it")]
pub(crate) struct Locks {
    pub(crate) locks: Vec<Lock>,
    /// How many locks aren't told of.
    pub(crate) left_off: usize,
    pub(crate) held: usize,
    pub(crate) waiters: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Lock {
    pub(crate) space: String,
    pub(crate) key: String,
    pub(crate) holders: Vec<Party>,
    pub(crate) holders_left_off: usize,
    /// The first of those who wait.
    pub(crate) queue: Vec<Party>,
    pub(crate) waiters: u32,
    /// Whether it is part of a deadlock, most likely.
    pub(crate) suspected: bool,
}

/// The text of an answer. The library has escaped what is the user's, but who knows who serves.
pub(crate) fn text(answer: &Value) -> Option<String> {
    let lines = answer["text"].as_str()?.lines();
    Some(lines.map(holder::shown).collect::<Vec<_>>().join("\n"))
}

/// What a service has counted since it began to: waits, those of them that timed out, and tries that
/// were refused.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted([f64; 3]);

impl Counted {
    /// By the metrics, as Prometheus has them.
    pub(crate) fn of(metrics: &str) -> Self {
        let mut counted = Self::default();
        let [waits, timeouts, refused] = &mut counted.0;
        for line in metrics.lines() {
            let Some((series, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let value = value.parse().unwrap_or(0.0);
            if series.starts_with("lockutils_wait_duration_seconds_count") {
                *waits += value;
                if series.contains("outcome=\"timeout\"") {
                    *timeouts += value;
                }
            } else if series.starts_with("lockutils_busy_total") {
                *refused += value;
            }
        }
        counted
    }

    /// What has come since then.
    pub(crate) fn since(self, before: &Self) -> [f64; 3] {
        std::array::from_fn(|index| self.0[index] - before.0[index])
    }
}

/// So long a future has to come for its lock until that is said, in seconds: every waiter is on its way
/// for some microseconds.
const NOT_POLLED: f64 = 0.5;

/// Who holds a lock or waits for it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Party {
    pub(crate) site: Option<String>,
    pub(crate) thread: Option<String>,
    pub(crate) tid: Option<u32>,
    pub(crate) task: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) held_at_least_s: Option<f64>,
    /// How often a thread has the lock, if that is more than once.
    pub(crate) times: Option<u32>,
    pub(crate) since_s: Option<f64>,
    pub(crate) gives_up_in_s: Option<f64>,
    /// Since when it could have come for the lock.
    pub(crate) not_polled_s: Option<f64>,
    /// All of it, as texts say it.
    pub(crate) text: String,
}

impl Lock {
    /// As reports name it. Nobody can have the terminal do something by it.
    pub(crate) fn name(&self) -> String {
        let Self { space, key, .. } = self;
        let name = if key.is_empty() {
            space.clone()
        } else {
            format!("{space}/{key}")
        };
        holder::shown(&name)
    }

    /// How long the first has waited, in seconds.
    pub(crate) fn oldest(&self) -> Option<f64> {
        self.queue.first()?.since_s
    }

    /// The first of the holders. Who was called to take the lock is as good as one.
    fn first(&self) -> Option<&Party> {
        let called = self
            .queue
            .first()
            .filter(|first| first.not_polled_s.is_some());
        self.holders.first().or(called)
    }

    /// Whether it was handed to a future that nobody has polled since.
    pub(crate) fn is_not_polled(&self) -> bool {
        let since = self.first().and_then(|first| first.not_polled_s);
        since.is_some_and(|since| since >= NOT_POLLED)
    }

    /// Since when the holder has had the lock at least, or hasn't come for it, in seconds.
    pub(crate) fn held(&self) -> Option<f64> {
        let holder = self.first()?;
        holder.not_polled_s.or(holder.held_at_least_s)
    }

    /// The first of the holders, called by such a name, and how many more there are.
    pub(crate) fn held_by(&self, name: fn(&Party) -> String) -> String {
        let Some(first) = self.first() else {
            return "on its way to the next".to_owned();
        };
        let mut text = name(first);
        if let Some(times) = first.times {
            let _ = write!(text, ", {times} times");
        }
        if self.is_not_polled() {
            text += ", not polled";
        }
        if self.holders.is_empty() {
            return text;
        }
        match self.holders.len() - 1 + self.holders_left_off {
            0 => text,
            more => format!("{text}, and {more} more"),
        }
    }
}

impl Party {
    /// The place in the code, and the thread or task; short.
    pub(crate) fn name(&self) -> String {
        self.named(self.site.as_deref())
    }

    /// The same without the folders of the file.
    pub(crate) fn short_name(&self) -> String {
        self.named(self.site.as_deref().map(without_folders).as_deref())
    }

    fn named(&self, site: Option<&str>) -> String {
        let whose = self.task.clone().or_else(|| self.thread.clone());
        let whose = whose.or_else(|| self.pid.map(|pid| format!("process {pid}")));
        holder::shown(&match (site, whose) {
            (Some(site), Some(whose)) => format!("{site} {whose}"),
            (None, Some(whose)) => whose,
            (_, None) => self.text.clone(),
        })
    }

    /// By what it is known in other locks, if it is.
    pub(crate) fn identity(&self) -> Option<String> {
        let task = || self.task.as_ref().map(|task| format!("task {task}"));
        self.tid.map(|tid| format!("thread {tid}")).or_else(task)
    }
}

/// A place in the code, be it `connect (src/cells.rs:41)` or `src/cells.rs:41`, without the folders.
fn without_folders(site: &str) -> String {
    let Some((folders, file)) = site.rsplit_once('/') else {
        return site.to_owned();
    };
    match folders.rfind(" (").filter(|_| site.ends_with(')')) {
        Some(end) => format!("{} ({file}", &folders[..end]),
        None => file.to_owned(),
    }
}

/// A time in seconds, as reports have it. A long one has its two greatest units.
pub(crate) fn seconds(time: Option<f64>) -> String {
    let Some(time) = time else {
        return String::new();
    };
    match Duration::try_from_secs_f64(time) {
        Ok(long) if time >= 1000.0 => roughly(long),
        _ => format!("{time:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::without_folders;

    #[test]
    fn place_is_shorter_without_folders() {
        for (site, short) in [
            ("connect (src/a/cells.rs:41)", "connect (cells.rs:41)"),
            ("src/bin (x)/cells.rs:41", "cells.rs:41"),
            ("connect (cells.rs:41)", "connect (cells.rs:41)"),
        ] {
            assert_eq!(without_folders(site), short);
        }
    }
}
