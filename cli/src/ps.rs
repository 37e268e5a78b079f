//! `lockutils ps`: which locks are held, and by whom.

use crate::args::{PsArgs, Sort};
use crate::table::Lock;
use crate::waiters::Waiters;
use crate::{exit, holder, screen, table};
use anyhow::Result;
use lockutils::{Error, FileLocks, FileStates, Holder, Key};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::iter;
use std::process::ExitCode;

pub(crate) fn run(args: &PsArgs) -> Result<ExitCode> {
    let locks = args.place.locks()?;
    if args.watch {
        if !io::stdout().is_terminal() {
            let text = "`--watch` needs a terminal; leave it out, or use `--json`";
            return Err(exit::usage(text));
        }
        screen::show(|| {
            let (held, failed) = look(&locks, args)?;
            let failed = failed.iter().map(exit::with_cause);
            let parts = iter::once(table::text(&locks, &args.keys, &held)).chain(failed);
            Ok(parts.collect::<Vec<_>>().join("\n"))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let (held, failed) = look(&locks, args)?;
    let text = if args.json {
        let values: Vec<Value> = held.iter().map(|lock| value(&locks, lock)).collect();
        format!("{:#}", Value::from(values))
    } else {
        table::text(&locks, &args.keys, &held)
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(exit::listed(&failed))
}

/// The locks that were asked for, in the order that was asked for, and what can't be seen.
fn look(locks: &FileLocks, args: &PsArgs) -> Result<(Vec<Lock>, Vec<Error>)> {
    let FileStates {
        mut held, failed, ..
    } = locks.look()?;
    if !args.keys.is_empty() {
        let keys: Vec<_> = args.keys.iter().map(Key::new).collect();
        held.retain(|state| keys.contains(&state.key));
    }
    // Which processes those are is looked for in all of the system.
    let is_awaited = held.iter().any(|state| state.waiters > 0);
    let waiters = is_awaited.then(Waiters::find).unwrap_or_default();
    let mut held: Vec<_> = held
        .into_iter()
        .map(|state| {
            let path = locks.path(&state.key).ok();
            let in_kernel = path.map_or_else(Vec::new, |path| waiters.of(&path));
            let told = state.waiter_pids.iter().copied();
            let waiters: BTreeSet<_> = told.chain(in_kernel).collect();
            Lock {
                waiters: Vec::from_iter(waiters),
                state,
            }
        })
        .collect();
    sort(&mut held, args.sort);
    Ok((held, failed))
}

/// Those that are equal stay in the order of their keys. What isn't known comes last.
fn sort(held: &mut [Lock], by: Sort) {
    let since = |lock: &Lock| lock.state.holders.first().and_then(Holder::since);
    match by {
        Sort::Age => held.sort_by_key(|lock| (since(lock).is_none(), since(lock))),
        Sort::Key => held.sort_by(|a, b| a.state.key.cmp(&b.state.key)),
        Sort::Pid => held.sort_by_key(|lock| {
            let pid = lock.state.holders.first().and_then(Holder::pid);
            (pid.is_none(), pid)
        }),
        Sort::Waiters => held.sort_by_key(|lock| Reverse(lock.state.waiters)),
    }
}

fn value(locks: &FileLocks, lock: &Lock) -> Value {
    let holder = lock.state.holders.first();
    let since = holder.and_then(Holder::since);
    json!({
        "space": locks.name(),
        "key": lock.state.key.as_str(),
        "pid": holder.and_then(Holder::pid),
        "pid_namespace": holder.and_then(Holder::pid_namespace),
        "host": holder.and_then(Holder::host),
        "command": holder.and_then(holder::command),
        "site": holder.and_then(Holder::place),
        "since": since.map(|since| humantime::format_rfc3339_millis(since).to_string()),
        "waiters": lock.state.waiters,
        "waiter_pids": lock.waiters,
    })
}
