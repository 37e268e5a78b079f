//! `lockutils ps`: who holds what.

use crate::args::PsArgs;
use crate::{args, holder, screen};
use anyhow::Result;
use comfy_table::{ContentArrangement, Row, Table, TableComponent, presets};
use lockutils::{FileLocks, Holder, LockState};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

pub(crate) fn run(args: &PsArgs) -> Result<ExitCode> {
    let locks = args.place.locks()?;
    if args.watch {
        if !io::stdout().is_terminal() {
            let text = "`--watch` needs a terminal; leave it out, or use `--json`";
            return Err(args::usage(text));
        }
        screen::show(|| text(&locks))?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = if args.json {
        let states = locks.states()?;
        let values: Vec<Value> = states.iter().map(|state| value(&locks, state)).collect();
        format!("{:#}", Value::from(values))
    } else {
        text(&locks)?
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn text(locks: &FileLocks) -> Result<String> {
    let states = locks.states()?;
    if states.is_empty() {
        return Ok(format!("nobody holds a lock in {:?}", locks.name()));
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["KEY", "PID", "COMMAND", "TAKEN AT", "HELD FOR", "WAITERS"]);
    for state in &states {
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
    Ok(table.trim_fmt())
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
