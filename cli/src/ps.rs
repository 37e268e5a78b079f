//! `lockutils ps`: who holds what.

use crate::args::PsArgs;
use crate::{args, exit, holder, screen};
use anyhow::Result;
use comfy_table::{ContentArrangement, Row, Table, TableComponent, presets};
use lockutils::{FileLocks, FileStates, Holder, LockState};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};
use std::iter;
use std::process::ExitCode;

pub(crate) fn run(args: &PsArgs) -> Result<ExitCode> {
    let locks = args.place.locks()?;
    if args.watch {
        if !io::stdout().is_terminal() {
            let text = "`--watch` needs a terminal; leave it out, or use `--json`";
            return Err(args::usage(text));
        }
        screen::show(|| {
            let states = locks.states()?;
            let failed = states.failed.iter().map(exit::with_cause);
            let parts = iter::once(text(&locks, &states.held)).chain(failed);
            Ok(parts.collect::<Vec<_>>().join("\n"))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let FileStates { held, failed, .. } = locks.states()?;
    let text = if args.json {
        let values: Vec<Value> = held.iter().map(|state| value(&locks, state)).collect();
        format!("{:#}", Value::from(values))
    } else {
        text(&locks, &held)
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(exit::listed(&failed))
}

fn text(locks: &FileLocks, states: &[LockState]) -> String {
    if states.is_empty() {
        return format!("nobody holds a lock in {:?}", locks.name());
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["KEY", "PID", "COMMAND", "TAKEN AT", "HELD FOR", "WAITERS"]);
    for state in states {
        let holder = state.holders.first();
        let of_holder = |text: fn(&Holder) -> Option<String>| {
            holder.and_then(text).unwrap_or_else(|| "?".to_owned())
        };
        let mut row = Row::from([
            state.key.as_str().escape_debug().to_string(),
            of_holder(process),
            of_holder(holder::command),
            of_holder(Holder::place),
            of_holder(holder::held),
            state.waiters.to_string(),
        ]);
        // What is too wide for the terminal is cut off.
        row.max_height(1);
        table.add_row(row);
    }
    if io::stdout().is_terminal() {
        // Some say that they have no width at all.
        if let Ok((width @ 1.., _)) = crossterm::terminal::size() {
            table.set_width(width);
        }
    }
    table.trim_fmt()
}

/// The id of a process, and of which host if it isn't this one.
fn process(holder: &Holder) -> Option<String> {
    let pid = holder.pid()?;
    Some(match holder.host() {
        Some(host) => format!("{pid} on {}", host.escape_debug()),
        None => pid.to_string(),
    })
}

fn value(locks: &FileLocks, state: &LockState) -> Value {
    let holder = state.holders.first();
    let since = holder.and_then(Holder::since);
    json!({
        "space": locks.name(),
        "key": state.key.as_str(),
        "pid": holder.and_then(Holder::pid),
        "host": holder.and_then(Holder::host),
        "command": holder.and_then(holder::command),
        "site": holder.and_then(Holder::place),
        "since": since.map(|since| humantime::format_rfc3339_millis(since).to_string()),
        "waiters": state.waiters,
    })
}
