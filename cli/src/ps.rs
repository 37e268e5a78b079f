//! `lockutils ps`: which locks are held, and by whom.

use crate::args::{PsArgs, Sort};
use crate::table::Lock;
use crate::waiters::Waiters;
use crate::{exit, holder, screen, table};
use anyhow::Result;
use lockutils::{Error, FileLocks, FileStates, Holder, Key, LockState};
use lockutils_any::Any;
use lockutils_remote::Remote;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::iter;
use std::process::ExitCode;

/// Whose locks are shown.
enum Locks {
    Files(FileLocks),
    Server(Remote<Any>),
}

pub(crate) fn run(args: &PsArgs) -> Result<ExitCode> {
    let locks = match args.source.server()? {
        Some(locks) => Locks::Server(locks),
        None => Locks::Files(args.source.files.locks()?),
    };
    if args.watch {
        if !io::stdout().is_terminal() {
            let text = "`--watch` needs a terminal; leave it out, or use `--json`";
            return Err(exit::usage(text));
        }
        screen::show(|| {
            let (held, failed) = look(&locks, args)?;
            let failed = failed.iter().map(exit::with_cause);
            let parts = iter::once(table::text(locks.name(), &args.keys, &held)).chain(failed);
            Ok(parts.collect::<Vec<_>>().join("\n"))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let (held, failed) = look(&locks, args)?;
    let text = if args.json {
        let values: Vec<Value> = held.iter().map(|lock| value(&locks, lock)).collect();
        format!("{:#}", Value::from(values))
    } else {
        table::text(locks.name(), &args.keys, &held)
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(exit::listed(&failed))
}

/// The locks that were asked for, in the order that was asked for, and what can't be seen.
fn look(locks: &Locks, args: &PsArgs) -> Result<(Vec<Lock>, Vec<Error>)> {
    let (mut held, failed) = match locks {
        Locks::Files(files) => {
            let FileStates { held, failed, .. } = files.look()?;
            (held, failed)
        }
        Locks::Server(server) => (server.states()?, Vec::new()),
    };
    if !args.keys.is_empty() {
        let keys: Vec<_> = args.keys.iter().map(Key::new).collect();
        held.retain(|state| keys.contains(&state.key));
    }
    let mut held = match locks {
        Locks::Files(files) => with_waiters(files, held),
        // A server knows how many there are, and not who.
        Locks::Server(_) => { held.into_iter() }
            .map(|state| Lock {
                waiters: Vec::new(),
                state,
            })
            .collect(),
    };
    sort(&mut held, args.sort);
    Ok((held, failed))
}

/// Which processes wait is looked for in all of the system.
fn with_waiters(locks: &FileLocks, held: Vec<LockState>) -> Vec<Lock> {
    let is_awaited = held.iter().any(|state| state.waiters > 0);
    let waiters = is_awaited.then(Waiters::find).unwrap_or_default();
    let lock = |state: LockState| {
        let path = locks.path(&state.key).ok();
        let in_kernel = path.map_or_else(Vec::new, |path| waiters.of(&path));
        let told = state.waiter_pids.iter().copied();
        let waiters: BTreeSet<_> = told.chain(in_kernel).collect();
        Lock {
            waiters: Vec::from_iter(waiters),
            state,
        }
    };
    held.into_iter().map(lock).collect()
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

fn value(locks: &Locks, lock: &Lock) -> Value {
    let holder = lock.state.holders.first();
    let since = holder.and_then(Holder::since);
    json!({
        "space": locks.name(),
        "key": lock.state.key.as_str(),
        "pid": holder.and_then(Holder::pid),
        "pid_namespace": holder.and_then(Holder::pid_namespace),
        "host": locks.host(holder),
        "command": holder.and_then(holder::command),
        "site": table::place(lock),
        "since": since.map(|since| humantime::format_rfc3339_millis(since).to_string()),
        "waiters": lock.state.waiters,
        "waiter_pids": lock.waiters,
    })
}

impl Locks {
    fn name(&self) -> &str {
        match self {
            Self::Files(files) => files.name(),
            Self::Server(server) => server.name(),
        }
    }

    /// Where the holder is. Files are those of this host, so only another one is told.
    fn host(&self, holder: Option<&Holder>) -> Option<String> {
        let host = holder?.host().map(str::to_owned);
        match self {
            Self::Files(_) => host,
            Self::Server(_) => Some(host.unwrap_or_else(holder::host_name)),
        }
    }
}
