//! How the cases take locks: as expanded code and the handles do, by the trait [`Space`] alone.

use lockutils::engine::{Acquire, AsyncGuardOf, Begun, GuardOf, Machine, Mode, Space};
use lockutils::{Error, Key, LockKey, Site};
use std::fmt::Debug;
use std::time::{Duration, Instant};

pub(crate) const KEY: &str = "key";

pub(crate) fn hold<S: Space<Machine: Machine<Failure: Debug>>>(
    space: &S,
    key: impl LockKey,
) -> GuardOf<S::Machine> {
    match space.begin(&key, Mode::Exclusive, Site::here()) {
        Begun::Held(held) => held.into(),
        Begun::Wait(acquire) => acquire.block().unwrap(),
    }
}

/// A lock about to be waited for.
pub(crate) fn wait<S: Space>(space: &S, key: impl LockKey, mode: Mode) -> Acquire<S::Machine> {
    space.wait(&key, mode, Site::here())
}

/// The future borrows neither the space nor the key.
pub(crate) fn hold_async<S: Space<Machine: Machine<Failure: Debug>>, K: LockKey>(
    space: &S,
    key: K,
) -> impl Future<Output = AsyncGuardOf<S::Machine>> + use<S, K> {
    let acquire = wait(space, key, Mode::Exclusive);
    async move { acquire.await.unwrap() }
}

pub(crate) fn try_hold<S: Space>(
    space: &S,
    key: impl LockKey,
) -> Result<GuardOf<S::Machine>, Error> {
    try_on(space, key, Mode::Exclusive)
}

pub(crate) fn try_on<S: Space>(
    space: &S,
    key: impl LockKey,
    mode: Mode,
) -> Result<GuardOf<S::Machine>, Error> {
    match space.begin(&key, mode, Site::here()) {
        Begun::Held(held) => Ok(held.into()),
        Begun::Wait(acquire) => acquire.try_now(),
    }
}

pub(crate) fn hold_all<S: Space<Machine: Machine<Failure: Debug>>>(
    space: &S,
    keys: &[&str],
) -> GuardOf<S::Machine> {
    wait_for_all(space, keys).block().unwrap()
}

pub(crate) fn wait_for_all<S: Space>(space: &S, keys: &[&str]) -> Acquire<S::Machine> {
    let keys = keys.iter().map(Key::new).collect();
    space.wait_all(keys, Mode::Exclusive, Site::here())
}

pub(crate) fn is_free<S: Space>(space: &S, key: impl LockKey) -> bool {
    try_hold(space, key).is_ok()
}

pub(crate) fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

pub(crate) fn many_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap()
}

/// At most so many rounds, as many of them as a slow engine has time for.
pub(crate) fn rounds(most: usize) -> impl Iterator<Item = usize> {
    let start = Instant::now();
    let is_time = move |round: &usize| *round == 0 || start.elapsed() < Duration::from_secs(5);
    (0..most).take_while(is_time)
}

pub(crate) const SHORT: Duration = Duration::from_millis(5);

pub(crate) const LONG: Duration = Duration::from_secs(600);
