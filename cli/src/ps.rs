//! `lockutils ps`: which locks are held, and by whom.

use crate::args::{PsArgs, Sort};
use crate::service::{self, Hello};
use crate::table::Lock;
use crate::waiters::Waiters;
use crate::{answer, exit, holder, listing, screen, table};
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
use std::time::{Duration, SystemTime};

/// How many locks of a process are shown.
const LOCKS: usize = 500;

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
            let (inside, silent) = inside(args);
            let failed = failed.iter().map(exit::with_cause);
            let silent = silent.iter().map(|error| format!("{error:#}"));
            let parts = iter::once(table::text(locks.name(), &args.keys, &held)).chain(failed);
            let parts = parts.chain(inside.iter().map(text)).chain(silent);
            Ok(parts.collect::<Vec<_>>().join("\n"))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let (held, failed) = look(&locks, args)?;
    let (inside, silent) = inside(args);
    let text = if args.json {
        let inside = inside.iter().flat_map(|(process, locks)| {
            let locks = locks.locks.iter();
            locks.map(|lock| value_inside(process, lock))
        });
        let values: Vec<Value> = { held.iter() }
            .map(|lock| value(&locks, lock))
            .chain(inside)
            .collect();
        format!("{:#}", Value::from(values))
    } else {
        table::text(locks.name(), &args.keys, &held) + &inside.iter().map(text).collect::<String>()
    };
    writeln!(io::stdout(), "{text}")?;
    for error in &silent {
        exit::say(format_args!("{error:#}"));
    }
    Ok(exit::listed(&failed))
}

/// What processes that serve have in their memory, if that was asked for; and who doesn't answer.
fn inside(args: &PsArgs) -> (Vec<(Hello, answer::Locks)>, Vec<anyhow::Error>) {
    let (mut inside, mut silent) = (Vec::new(), Vec::new());
    for service in args.all.then(service::all).into_iter().flatten() {
        let request = json!({ "get": "locks", "limit": LOCKS });
        let told = service.and_then(|mut service| {
            let locks = service.ask_for(&request)?;
            Ok((service.hello, locks))
        });
        match told {
            Ok(told) => inside.push(told),
            Err(error) => silent.push(error),
        }
    }
    (inside, silent)
}

fn text((process, locks): &(Hello, answer::Locks)) -> String {
    format!("\n\n{}", listing::text(process, locks))
}

/// A lock in the memory of a process, with the same fields as one of a file.
fn value_inside(process: &Hello, lock: &answer::Lock) -> Value {
    let since = lock
        .held()
        .and_then(|held| Duration::try_from_secs_f64(held).ok());
    let since = since.and_then(|held| SystemTime::now().checked_sub(held));
    json!({
        "space": lock.space,
        "key": lock.key,
        "pid": process.pid,
        "pid_namespace": null,
        "host": null,
        "command": process.name,
        "site": lock.holders.first().and_then(|holder| holder.site.as_ref()),
        "since": since.map(|since| humantime::format_rfc3339_millis(since).to_string()),
        "waiters": lock.waiters,
        "waiter_pids": [],
        "suspected_deadlock": lock.suspected,
        "in_process": true,
    })
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
        if let Locks::Server(server) = locks {
            held.extend(unlisted(server, keys, &held)?);
            held.sort_by(|one, other| one.key.cmp(&other.key));
        }
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

/// The locks of these keys that are held and not among those of which the server knows the keys. `PostgreSQL` can't write them down
/// when its disk is full, and still has the locks.
fn unlisted(
    server: &Remote<Any>,
    mut keys: Vec<Key>,
    listed: &[LockState],
) -> Result<Vec<LockState>, Error> {
    if !matches!(server.store(), Any::Postgres(_)) {
        return Ok(Vec::new());
    }
    keys.sort();
    keys.dedup();
    keys.retain(|key| listed.iter().all(|state| state.key != *key));
    let states = keys
        .iter()
        .map(|key| pollster::block_on(server.state_async(key)));
    states.filter_map(Result::transpose).collect()
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
        "suspected_deadlock": lock.state.suspected_deadlock,
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
