//! A report for programs: what its text says, as JSON.

use super::tree::{Branch, Tree};
use super::{Cause, Report};
use crate::json::Json;
use crate::json::lock;
use crate::process;
use std::fmt;

impl Report {
    /// Writes an object.
    pub(crate) fn write_json(&self, json: &mut Json) {
        json.object(|json| {
            json.field("name").text(process::name());
            json.field("pid").number(std::process::id() as usize);
            json.field("waiters").number(self.waiters);
            if let Some(longest) = self.longest {
                json.field("longest_s").seconds(longest);
            }
            let causes = json.field("causes");
            let left_off = causes.array(&self.causes, |json, cause| cause.write_json(json));
            json.field("left_off").number(self.left_off + left_off);
        });
    }
}

impl Cause {
    fn write_json(&self, json: &mut Json) {
        json.object(|json| {
            json.field("lock").text(&self.name);
            json.field("space").text(self.space);
            json.field("key").text(self.key.as_str());
            if let Some(culprit) = &self.culprit {
                lock::who(culprit, self.times, json.field("culprit"));
            }
            json.field("head").text(Head(self));
            json.field("others").number(self.others);
            json.field("permits").number(self.permits as usize);
            json.field("outside").bool(self.is_outside);
            json.field("waiters").number(self.waiters);
            json.field("waiter_s").seconds(self.waited);
            if let Some(deadlock) = &self.deadlock {
                let lines = deadlock.to_string();
                json.field("deadlock").texts(lines.lines().map(str::trim));
            }
            let advice: Vec<_> = self.advice().collect();
            if !advice.is_empty() {
                json.field("advice").text(advice.join(" "));
            }
            json.field("behind_it").number(self.tree.count());
            self.tree.write_json(json);
        });
    }
}

/// The lock and who has it, as the text says it.
struct Head<'a>(&'a Cause);

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.head(f)
    }
}

impl Tree {
    /// Writes two fields.
    fn write_json(&self, json: &mut Json) {
        let behind = json.field("behind");
        let left_off = behind.array(&self.branches, |json, branch| branch.write_json(json));
        json.field("left_off").number(self.left_off + left_off);
    }
}

impl Branch {
    fn write_json(&self, json: &mut Json) {
        json.object(|json| {
            lock::fields_of(&self.who, json);
            json.field("since_s").seconds(self.waited);
            if let Some(left) = self.left {
                json.field("gives_up_in_s").seconds(left);
            }
            if self.is_same_task {
                json.field("same_task").bool(true);
            }
            json.field("more").number(self.more);
            json.field("holds").texts(&self.holds);
            self.inside.write_json(json);
        });
    }
}
